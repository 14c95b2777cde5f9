import type { Run } from "../config/run.js";
import type { Log } from "../text/log.js";
import { withProgress } from "../text/progress.js";

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Further members of the document that `--json` prints of it. */
  readonly described?: Readonly<Record<string, unknown>> | undefined;
  /** Takes no more requests and lets the open ones end. */
  close(): Promise<void>;
}

// See `main`: whoever asks once more does not wait.
const ENDING = "ending what is open; ask once more to end at once";

/**
 * Says on stdout where servers listen, one line for each, waits until the process is asked to end, and drains them.
 *
 * @param log - hears that they end, where stderr is a log; else a person is told when that takes a while
 */
export async function serveUntilSignal(
  run: Run,
  servers: readonly RunningServer[],
  log?: Log,
): Promise<void> {
  for (const { url, described } of servers) {
    run.output.result({ listening: url, ...described }, () => `listening on ${url}`);
  }
  await aborted(run.signal);
  const close = () => Promise.all(servers.map((server) => server.close()));
  if (log === undefined) {
    await withProgress(run.output, ENDING, close);
    return;
  }
  log.info({}, ENDING);
  await close();
  log.info({}, "ended");
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
