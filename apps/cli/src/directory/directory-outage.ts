import type { Code } from "@countersign/agent-key";
import { errnoOf, type Fetch } from "@countersign/agent-key/platform-fetch";
import type { Output } from "../text/output.js";

/** The part of a lookup's result that shows whether the authority answers; see `DirectoryEvent`. */
export interface LookupResult {
  readonly asked: boolean;
  readonly code?: Code | undefined;
}

/** What came of a request to the authority. */
export interface RequestFailure {
  /** The system's or TLS's code, or the status of a refusal. `undefined`: there is none. */
  readonly reason: string | undefined;
}

/** Wraps `fetch` so that an outage can be reported with the reason of the last request, which a lookup's code does not have. */
export function watchFailures(fetch: Fetch): RequestFailure & { readonly fetch: Fetch } {
  let reason: string | undefined;
  return {
    get reason() {
      return reason;
    },
    async fetch(url, init) {
      try {
        const response = await fetch(url, init);
        reason = response.status < 400 ? undefined : `status ${response.status}`;
        return response;
      } catch (error) {
        reason = errnoOf(error);
        throw error;
      }
    },
  };
}

/** Options of {@link tellOfOutages}. */
export interface OutageOptions {
  /** What came of the last request to the authority. */
  readonly last: RequestFailure;
  /** How long earlier answers are used while the authority does not answer. */
  readonly windowSeconds: number;
}

/** Takes the results of lookups. */
export interface OutageReport extends Disposable {
  (lookup: LookupResult): void;
}

/**
 * Reports when an authority stops answering about agents and tasks, when the cause changes, when the time is over in which its earlier answers
 * are used, and when it answers again.
 */
export function tellOfOutages(
  authority: string,
  output: Pick<Output, "note" | "warn">,
  { last, windowSeconds }: OutageOptions,
): OutageReport {
  let failing: Code | undefined;
  let window: NodeJS.Timeout | undefined;
  const stop = () => {
    clearTimeout(window);
    window = undefined;
  };
  const onWindowOver = () =>
    output.warn(
      `the authority ${authority} has not answered for ${windowSeconds} s: every request is refused with 503 until it does`,
    );
  const tell = ({ asked, code }: LookupResult): void => {
    if (!asked || code === failing) return;
    failing = code;
    if (code === undefined) {
      stop();
      output.note(`the authority ${authority} answers again`);
      return;
    }
    // Each earlier answer is older than the outage, so that none is used any more then.
    if (windowSeconds > 0 && OUTAGES.has(code)) {
      window ??= setTimeout(onWindowOver, windowSeconds * 1000).unref();
    }
    output.warn(
      `the authority ${authority} does not answer about agents and tasks: ${words(code, last.reason, windowSeconds)}`,
    );
  };
  return Object.assign(tell, { [Symbol.dispose]: stop });
}

/** What an outage is. A refusal is an answer, and no earlier one is used in its place. */
const OUTAGES: ReadonlySet<Code> = new Set<Code>(["unreachable", "timeout", "server_error"]);

function words(code: Code, reason: string | undefined, windowSeconds: number): string {
  const refused = code === "unauthenticated" || code === "forbidden";
  if (refused) return `${code}; --authority-token takes a live token of role resource_server`;
  const why = reason === undefined ? code : `${code} (${reason})`;
  if (windowSeconds === 0 || !OUTAGES.has(code)) {
    return `${why}; every request that needs an answer is refused with 503`;
  }
  return `${why}; its earlier answers are used for at most ${windowSeconds} s (--outage-window), and every other request is refused with 503`;
}
