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

// See `main`: a second signal ends the program at once.
const ENDING = "ending what is open; ask once more to end at once";

/**
 * Prints on stdout where the servers listen, one line for each. Waits until the process is asked to end, then drains them.
 *
 * @param log - takes the begin and the end of the draining if stderr is a log. Without it, stderr shows a state if the draining takes long
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
