import { channel } from "node:diagnostics_channel";

/** The name of the channel of `node:diagnostics_channel` that gets a {@link PrivateFileMessage} for each step. */
export const PRIVATE_FILE_CHANNEL = "countersign:private-file";

/**
 * What just happened to a file or lock, in this order:
 *
 * - `lock_broken`: a holder that gave no sign of life was put aside; `lock_taken`; `lock_released`
 * - `temporary_made`: empty and exclusive; `temporary_written`; `temporary_synced`; `renamed`: readers see the new text; `directory_synced`:
 *   the rename survives a loss of power
 */
export type PrivateFileEvent =
  | "lock_broken"
  | "lock_taken"
  | "lock_released"
  | "temporary_made"
  | "temporary_written"
  | "temporary_synced"
  | "renamed"
  | "directory_synced";

/** What subscribers of {@link PRIVATE_FILE_CHANNEL} get, synchronously: the step after it has not begun. */
export interface PrivateFileMessage {
  readonly event: PrivateFileEvent;
  /** The file to be replaced, or the lock. */
  readonly path: string;
}

/** Publishes a step to the channel's subscribers. */
export function publishFileEvent(event: PrivateFileEvent, path: string): void {
  const steps = channel(PRIVATE_FILE_CHANNEL);
  if (!steps.hasSubscribers) return;
  const message: PrivateFileMessage = { event, path };
  steps.publish(message);
}
