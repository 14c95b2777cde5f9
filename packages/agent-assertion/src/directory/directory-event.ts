import type { Code } from "@countersign/agent-key";

/**
 * How a lookup ended.
 *
 * - `hit`: a kept record; the authority was not asked
 * - `negative`: the id is remembered as unknown; the authority was not asked
 * - `miss`: the authority answered with a record, or that there is no such record
 * - `revalidated`: the authority answered that the kept record is still right
 * - `stale`: the authority is out of reach, and the kept record may still be used
 * - `error`: the authority gave no usable answer, and no kept record may be used
 */
export type DirectoryOutcome = "hit" | "negative" | "miss" | "revalidated" | "stale" | "error";

/** One lookup of a remote directory, for metrics. It holds no id and no secret: its members but the duration are fit for labels. */
export interface DirectoryEvent {
  readonly about: "agent" | "task";
  readonly outcome: DirectoryOutcome;
  /** Whether this lookup sent a request to the authority. Lookups that waited for another's request did not. */
  readonly asked: boolean;
  /** How long the lookup took by the directory's clock, milliseconds. */
  readonly durationMs: number;
  /** Why the authority could not tell. With `error`, and with `stale` unless the authority was not asked because it failed just before. */
  readonly code?: Code | undefined;
}
