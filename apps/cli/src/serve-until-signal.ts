import { withProgress } from "./progress.js";
import type { Run } from "./run.js";

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Further members of the document that `--json` prints of it. */
  readonly described?: Readonly<Record<string, unknown>> | undefined;
  /** Takes no more requests and lets the open ones end. */
  close(): Promise<void>;
}

/**
 * Says on stdout where servers listen, one line for each, waits until the process is asked to end, and drains them.
 */
export async function serveUntilSignal(run: Run, servers: readonly RunningServer[]): Promise<void> {
  for (const { url, described } of servers) {
    run.output.result({ listening: url, ...described }, () => `listening on ${url}`);
  }
  await aborted(run.signal);
  // See `main`: whoever asks once more does not wait.
  await withProgress(run.output, "ending what is open; ask once more to end at once", () =>
    Promise.all(servers.map((server) => server.close())),
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
