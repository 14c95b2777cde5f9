// In microtasks. A promise that waits for no file, socket or timer settles in fewer.
const TURNS = 64;

/**
 * Returns whether a promise settles without waiting for a file, a socket or a timer. It uses no timer to find out, because each request that
 * finds its task and login in memory would pay for one.
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
