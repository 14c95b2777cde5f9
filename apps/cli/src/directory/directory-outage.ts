import type { Code } from "@countersign/agent-key";
import type { Output } from "../text/output.js";

/** The part of a lookup's result that shows whether the authority answers; see `DirectoryEvent`. */
export interface LookupResult {
  readonly asked: boolean;
  readonly code?: Code | undefined;
}

/** Reports when an authority stops answering about agents and tasks, when the cause changes, and when it answers again. */
export function tellOfOutages(
  authority: string,
  output: Pick<Output, "note" | "warn">,
): (lookup: LookupResult) => void {
  let failing: Code | undefined;
  return ({ asked, code }) => {
    if (!asked || code === failing) return;
    if (code === undefined) output.note(`the authority ${authority} answers again`);
    else
      output.warn(
        `the authority ${authority} does not answer about agents and tasks: ${words(code)}`,
      );
    failing = code;
  };
}

function words(code: Code): string {
  const refused = code === "unauthenticated" || code === "forbidden";
  return refused
    ? `${code}; --authority-token takes a live token of role resource_server`
    : `${code}; its earlier answers are used for a while, and every other request is refused with 503`;
}
