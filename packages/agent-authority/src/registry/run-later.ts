import { context, ROOT_CONTEXT } from "@opentelemetry/api";

/**
 * Makes the function that asks for some work. It is done a while later, once for all that ask until then, and never twice at the same time: what
 * asks while it is done has it done once more.
 *
 * The work is in no request's trace, because it is of several requests, and none waits for it. It keeps no process alive.
 *
 * @param work - never rejects
 */
export function runLater(work: () => Promise<void>, afterMs: number): () => void {
  let isPlanned = false;
  let isAsked = false;
  const run = async () => {
    isAsked = false;
    await work();
    isPlanned = false;
    if (isAsked) ask();
  };
  const ask = () => {
    isAsked = true;
    if (isPlanned) return;
    isPlanned = true;
    setTimeout(
      context.bind(ROOT_CONTEXT, () => void run()),
      afterMs,
    ).unref();
  };
  return ask;
}
