import { AgentIdentityError } from "./agent-identity-error.js";
import type { AuthorityClient } from "./client/authority-client.js";
import type { CallPatience } from "./client/authority-request.js";
import type { CredentialStore } from "./credential-store.js";
import { type IdentityOwner, ownerKey } from "./identity-owner.js";
import { withDeadline } from "./internal/with-deadline.js";

/** The turn of one registration or rotation. */
export interface Turn {
  /** Aborted if no caller waits any more, or if the lock was lost. */
  readonly signal: AbortSignal;
  /** How its calls wait: `deadlineMs` is what is left of its time. */
  readonly patience: () => CallPatience;
}

/** What {@link runAlone} works with. */
export interface RunAloneOptions {
  readonly client: AuthorityClient;
  readonly store: CredentialStore;
  readonly deadlineMs: number | undefined;
}

/** Names the lock under which an owner's agent is registered, replaced, rotated and forgotten. */
export function lockName(owner: IdentityOwner): string {
  return `agent-registration ${ownerKey(owner)}`;
}

/** Runs while no other process registers or rotates for this owner. One deadline covers the waiting and the run. */
export async function runAlone<T>(
  { client, store, deadlineMs: mostMs = client.deadlineMs }: RunAloneOptions,
  owner: IdentityOwner,
  signal: AbortSignal,
  { deadlineMs: wantedMs = mostMs, attempts, outageMs, requestId }: CallPatience,
  run: (turn: Turn) => Promise<T>,
): Promise<T> {
  const deadlineMs = Math.min(wantedMs, mostMs);
  const endsAt = performance.now() + deadlineMs;
  return await withDeadline(deadlineMs, signal, timedOut, async (waiting, stop) =>
    store.withLock(
      lockName(owner),
      async (held) => {
        stop();
        const turn = held === undefined ? signal : AbortSignal.any([signal, held]);
        try {
          return await run({
            signal: turn,
            patience: () => ({
              deadlineMs: Math.max(endsAt - performance.now(), 0),
              attempts,
              outageMs,
              requestId,
            }),
          });
        } catch (error) {
          // The lost lock is the cause; the request that was cut off is only its effect.
          throw held?.aborted === true && !signal.aborted ? held.reason : error;
        }
      },
      { signal: waiting },
    ),
  );
}

function timedOut(cause: unknown): AgentIdentityError {
  return new AgentIdentityError(
    "timeout",
    "another process is still registering the agent of this login",
    { cause, retryable: true, hint: "check that the authority is well, and try again" },
  );
}
