import { channel } from "node:diagnostics_channel";
import type { IdentityOwner } from "./identity-owner.js";

/** The name of the channel of `node:diagnostics_channel` that gets an {@link IdentityMessage} for each step of a registration or key rotation. */
export const IDENTITY_CHANNEL = "countersign:agent-identity";

/**
 * What a registration comes to, in this order: `registering`, its turn has come; `key_stored`; `requesting`, the authority is about to be
 * asked; `answered`; `registered`, the answer is stored. A rotation: `rotating`, `next_key_stored`, `requesting`, `answered`, `rotated`.
 */
export type IdentityEvent =
  | "registering"
  | "key_stored"
  | "rotating"
  | "next_key_stored"
  | "requesting"
  | "answered"
  | "registered"
  | "rotated";

/** What subscribers of {@link IDENTITY_CHANNEL} get, synchronously: the step after it has not begun. Holds no secret. */
export interface IdentityMessage extends IdentityOwner {
  readonly event: IdentityEvent;
  /** From `answered` on; of a rotation from its beginning. */
  readonly agentRuntimeId?: string | undefined;
}

/** Publishes a step to the channel's subscribers. */
export function publishIdentityEvent(
  event: IdentityEvent,
  { authority, accountId, userId }: IdentityOwner,
  agentRuntimeId?: string,
): void {
  const steps = channel(IDENTITY_CHANNEL);
  if (!steps.hasSubscribers) return;
  const message: IdentityMessage = { event, authority, accountId, userId, agentRuntimeId };
  steps.publish(message);
}
