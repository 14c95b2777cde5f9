import { AssertionRejected } from "../verify/assertion-rejected.js";
import type { OnMissing } from "./middleware-options.js";

/** Returns whether a request whose check failed goes on without an agent: it carries no assertion, and the middleware lets those pass. */
export function passesWithoutAgent(error: unknown, onMissing: OnMissing | undefined): boolean {
  return onMissing === "pass" && AssertionRejected.is(error) && error.code === "missing";
}
