import type { Code } from "@countersign/agent-key";

/**
 * How a lookup ended.
 *
 * - `hit`: a record that is kept; nobody was asked
 * - `negative`: remembered as unknown; nobody was asked
 * - `miss`: the authority told of a record, or that there is none
 * - `revalidated`: the authority said that the record which is kept still holds
 * - `stale`: the authority is out of reach, and the record that is kept may still serve
 * - `error`: the authority could not tell, and nothing that is kept may serve
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
