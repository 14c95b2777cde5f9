// More than any answer takes that nothing has to be waited for.
const TURNS = 64;

/**
 * Tells whether a promise settles by itself, without anything that the process has to wait for: no file, no socket, no timer. Takes no timer to
 * tell, which a request that finds everything at hand would pay for.
 */
export async function settlesAtOnce(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < TURNS && !isSettled; turn += 1) await undefined;
  return isSettled;
}
