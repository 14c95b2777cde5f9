import { type Code, CountersignError } from "@countersign/agent-key";
import { AssertionRejected, type RejectedCaller } from "./assertion-rejected.js";
import type { VerifiedAssertion } from "./verified-assertion.js";

/** What is known of a request that was refused. Holds no header and no token. */
export interface RefusedAssertion {
  /**
   * Why. If the check could not be made, the code of what failed, such as `unreachable`, and `server_error` if that has none; the caller is then
   * answered `server_error`.
   */
  readonly code: Code;
  /** Whom a well-formed assertion says it comes from. Anybody can write that. */
  readonly claimed: RejectedCaller | undefined;
  /** Whom it came from, if the signature was valid. */
  readonly proven: RejectedCaller | undefined;
}

/**
 * Listeners of a verifier or a middleware, for logs, figures and alarms. Called synchronously and not awaited. What one throws becomes a process
 * warning, and the answer stays as it is. `Rest` is what a middleware adds: its request.
 */
export interface AssertionHooks<Rest extends readonly unknown[] = []> {
  /** Called with the caller of each request that was accepted. */
  readonly onVerified?: ((caller: VerifiedAssertion, ...rest: Rest) => void) | undefined;
  /** Called with each request that was refused, also if the check could not be made. */
  readonly onRefused?: ((refused: RefusedAssertion, ...rest: Rest) => void) | undefined;
}

/** Returns what a check threw as hooks and spans get it. */
export function toRefused(error: unknown): RefusedAssertion {
  const rejected = AssertionRejected.is(error) ? error : undefined;
  const code = CountersignError.is(error) ? error.code : "server_error";
  return { code, claimed: rejected?.claimed, proven: rejected?.proven };
}

/** Calls a hook, if there is one. Never throws. */
export function callHook<Args extends readonly unknown[]>(
  hook: ((...args: Args) => unknown) | undefined,
  ...args: Args
): void {
  try {
    const result = hook?.(...args);
    // Not awaited; but a rejection without a handler would end the process.
    if (result instanceof Promise) result.catch(warn);
  } catch (fault) {
    warn(fault);
  }
}

function warn(fault: unknown): void {
  // The hook's fault is not the request's, and must not pass unseen either.
  process.emitWarning(fault instanceof Error ? fault : String(fault));
}
