import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { onTestFinished } from "vitest";
import {
  IDENTITY_CHANNEL,
  type IdentityEvent,
  type IdentityMessage,
} from "../../src/identity-events.js";

/** The steps of a registration, in their order. */
export const IDENTITY_STEPS: readonly IdentityEvent[] = [
  "registering",
  "key_stored",
  "requesting",
  "answered",
  "registered",
];

/** Whether the request of a registration has been sent at this step. */
export function isSentBy(step: IdentityEvent): boolean {
  return IDENTITY_STEPS.indexOf(step) >= IDENTITY_STEPS.indexOf("requesting");
}

/** Calls the listener at every step of registrations at one authority, until the test ends. */
export function onIdentityStep(
  authority: string,
  listener: (message: IdentityMessage) => void,
): void {
  const look = (message: unknown) => {
    const step = message as IdentityMessage;
    if (step.authority === authority) listener(step);
  };
  subscribe(IDENTITY_CHANNEL, look);
  onTestFinished(() => void unsubscribe(IDENTITY_CHANNEL, look));
}

/** Calls the listener once, when a step comes for the first time. */
export function onceAtStep(authority: string, step: IdentityEvent, listener: () => void): void {
  let isDone = false;
  onIdentityStep(authority, ({ event }) => {
    if (event !== step || isDone) return;
    isDone = true;
    listener();
  });
}
