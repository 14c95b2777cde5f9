import type { Run } from "./run.js";

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /** Takes no more requests and lets the open ones end. */
  close(): Promise<void>;
}

/** Says on stdout where a server listens, waits until the process is asked to end, and drains it. */
export async function serveUntilSignal(run: Run, server: RunningServer): Promise<void> {
  run.output.result({ listening: server.url }, () => `listening on ${server.url}`);
  await aborted(run.signal);
  await server.close();
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
