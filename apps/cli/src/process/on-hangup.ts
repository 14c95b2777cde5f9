/** Stops listening to the signal. */
export interface HangupListener extends Disposable {}

/**
 * Does work for each SIGHUP, by which operators ask a server to read its files again, one at a time. Without it the signal would end the
 * process.
 *
 * @param work - must not reject
 */
export function onHangup(work: () => Promise<void>): HangupListener {
  let last = Promise.resolve();
  const listener = () => {
    last = last.then(work);
  };
  process.on("SIGHUP", listener);
  return {
    [Symbol.dispose]() {
      process.off("SIGHUP", listener);
    },
  };
}
