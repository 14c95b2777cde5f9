/**
 * Measures one row in a process of its own, so that no row finds the code of another one compiled, its caches filled or its garbage left.
 * Started by `row-process.ts`: takes the row's name and the effort, and answers by messages.
 */
import { loadRow } from "../row-list.ts";
import { measureRow } from "./measure-row.ts";
import type { Effort } from "./row.ts";
import { rowHead } from "./row-result.ts";

/** What the process of a row says. */
export type RowMessage =
  | { readonly progress: string }
  | { readonly result: Awaited<ReturnType<typeof measureRow>> };

const [name = "", effort = "{}", quick = ""] = process.argv.slice(2);
const interruption = new AbortController();
// A Ctrl-C reaches every process of the terminal. The parent decides what it means, and ends this one by SIGTERM.
process.on("SIGINT", () => {});
for (const event of ["SIGTERM", "disconnect"] as const) {
  process.once(event, () => interruption.abort(new Error("interrupted")));
}
const say = (message: RowMessage) => void process.send?.(message);

const row = await loadRow(name);
if (quick === "quick" && row.tooLongForQuick !== undefined) {
  const reason = `not measured with --quick: ${row.tooLongForQuick}`;
  say({ result: { ...rowHead(row), state: "skipped", reason } });
} else {
  const result = await measureRow(row, {
    effort: JSON.parse(effort) as Effort,
    signal: interruption.signal,
    progress: (progress) => say({ progress }),
  });
  say({ result });
}
if (process.connected) process.disconnect();
