import type { AgentSigner } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { AgentKeyRotation } from "./agent-key-rotation.js";
import type { AgentKeys } from "./agent-keys.js";
import type { CurrentHuman } from "./agent-registrar.js";
import type { AuthorityClient } from "./client/authority-client.js";
import type { CallPatience } from "./client/authority-request.js";
import type { CredentialStore } from "./credential-store.js";
import {
  type EntryKey,
  entryKeyOf,
  isSameEntryKey,
  nextKeyOf,
  withEntryKey,
  withNextKey,
  withoutNextKey,
} from "./entry-key.js";
import { publicLineOf, withFormerKey } from "./former-keys.js";
import { type EmitIdentityEvent, emittingFailure } from "./identity-events.js";
import { findEntry, type IdentityOwner, ownerKey, withEntry } from "./identity-owner.js";
import { SharedFlights } from "./internal/shared-flights.js";
import { KeyRotationRequests } from "./key-rotation-requests.js";
import { isSameIdentity, type KnownIdentities } from "./known-identities.js";
import { type RotatingEntry, toRotatingEntry } from "./rotating-entry.js";
import { runAlone, type Turn } from "./run-alone.js";
import type { StoredIdentity } from "./schema/credentials.js";

/** Options of {@link KeyRotator}. */
export interface KeyRotatorOptions {
  readonly client: AuthorityClient;
  readonly store: CredentialStore;
  readonly deadlineMs: number | undefined;
  readonly now: () => number;
  readonly keys: AgentKeys;
  readonly known: KnownIdentities;
  readonly emit: EmitIdentityEvent;
  /** Makes the error of a rotation that no caller waits for any more. */
  readonly abortError: (cause: unknown) => Error;
}

/** A rotation that the authority answered and the store keeps. */
interface SentRotation {
  readonly rotated: StoredIdentity;
  readonly formerKeyEndsAt: AgentKeyRotation["formerKeyEndsAt"];
}

/** What a caller wants of a rotation. */
export interface RotationWish {
  /** Whether the key before it ends at once. */
  readonly compromised: boolean;
  /** The key that takes over, if it is kept elsewhere. */
  readonly next: AgentSigner | undefined;
}

/**
 * Rotates keys, one at a time for each owner across all processes that share the store.
 *
 * The next key is stored beside the current key before it is sent to the authority, and takes its place after the answer. If a rotation is cut
 * off, the next one sends the same key, and the authority answers a repetition as it answered the first.
 */
export class KeyRotator {
  readonly #options: KeyRotatorOptions;
  readonly #requests: KeyRotationRequests;
  readonly #rotations: SharedFlights<AgentKeyRotation>;
  readonly #finishes: SharedFlights<AgentIdentity | undefined>;

  constructor(options: KeyRotatorOptions) {
    this.#options = options;
    this.#rotations = new SharedFlights(options.abortError);
    this.#finishes = new SharedFlights(options.abortError);
    this.#requests = new KeyRotationRequests(options);
  }

  /** See `AgentIdentityManager.rotate`. Callers at once share one rotation. */
  rotate(
    owner: IdentityOwner,
    human: CurrentHuman,
    wanted: RotationWish,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentKeyRotation> {
    const { compromised, next } = wanted;
    return this.#rotations.join(
      `${compromised} ${next?.publicKey.line} ${ownerKey(owner)}`,
      (alone) => this.#rotate(owner, human, wanted, alone, patience),
      signal,
    );
  }

  /** See `AgentIdentityManager.finishRotation`. */
  async finish(
    refused: AgentIdentity,
    human: CurrentHuman,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentIdentity | undefined> {
    const { store, known } = this.#options;
    const entry = findEntry(await store.load(), refused, store);
    const stored = entry && known.of(entry);
    // Checked before the lock: a resource server's refusal alone must not make callers wait for it.
    if (stored === undefined || !isSameIdentity(stored, refused)) return stored;
    if (entry === undefined || nextKeyOf(entry) === undefined) return undefined;
    return await this.#finishes.join(
      `${refused.key.publicKey.line} ${ownerKey(refused)}`,
      (alone) => this.#finish(refused, human, alone, patience),
      signal,
    );
  }

  /** Ends what is in flight. */
  async close(): Promise<void> {
    await Promise.all([this.#rotations.close(), this.#finishes.close()]);
  }

  #rotate(
    owner: IdentityOwner,
    human: CurrentHuman,
    wanted: RotationWish,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentKeyRotation> {
    return this.#run(owner, signal, patience, async (turn) => {
      const { store, emit } = this.#options;
      const entry = findEntry(await store.load(), owner, store);
      if (entry?.state !== "registered") throw noAgent();
      const agent = { agentRuntimeId: entry.agent_runtime_id };
      const begin = async (): Promise<RotatingEntry> => {
        emit("rotating", owner, agent);
        const rotating = await this.#keepNextKey(owner, wanted, turn);
        emit("next_key_stored", owner, agent);
        return rotating;
      };
      let rotating = await begin();
      // A rotation that was cut off had chosen another key than the one that is to take over now.
      const line = wanted.next?.publicKey.line;
      if (line !== undefined && publicLineOf(rotating.nextKey) !== line) {
        await this.#send(owner, human, rotating, turn);
        rotating = await begin();
      }
      return this.#toRotation(await this.#send(owner, human, rotating, turn));
    });
  }

  #toRotation({ rotated, formerKeyEndsAt }: SentRotation): AgentKeyRotation {
    const identity = this.#options.known.of(rotated);
    if (identity === undefined) throw removed();
    return { identity, formerKeyEndsAt };
  }

  #finish(
    refused: AgentIdentity,
    human: CurrentHuman,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentIdentity | undefined> {
    return this.#run(refused, signal, patience, async (turn) => {
      const { store, known, emit } = this.#options;
      const entry = findEntry(await store.load(), refused, store);
      const stored = entry && known.of(entry);
      if (stored === undefined) return undefined;
      if (!isSameIdentity(stored, refused)) return stored;
      const rotating = entry && toRotatingEntry(entry);
      if (rotating === undefined) return undefined;
      emit("rotating", refused, { agentRuntimeId: stored.agentRuntimeId });
      emit("next_key_stored", refused, { agentRuntimeId: stored.agentRuntimeId });
      return this.#toRotation(await this.#send(refused, human, rotating, turn)).identity;
    });
  }

  #run<T>(
    owner: IdentityOwner,
    signal: AbortSignal,
    patience: CallPatience,
    run: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    const about = { owner, during: "rotation", signal } as const;
    return emittingFailure(this.#options.emit, about, () =>
      runAlone(this.#options, owner, signal, patience, run),
    );
  }

  async #keepNextKey(
    owner: IdentityOwner,
    { compromised, next: wanted }: RotationWish,
    { signal }: Turn,
  ): Promise<RotatingEntry> {
    const { store, keys } = this.#options;
    let rotating: RotatingEntry | undefined;
    await store.update(
      (current) => {
        const entry = findEntry(current, owner, store);
        // Before anything is written: otherwise a manager that lacks the current key leaves a rotation that others finish.
        if (entry !== undefined) keys.find(entryKeyOf(entry), entry);
        const before = entry && toRotatingEntry(entry);
        // Also if another rotation is finished first: what is asked for would be refused after it.
        if (entry !== undefined && (before === undefined || wanted !== undefined)) {
          checkNext(entry, wanted, keys);
        }
        const next: StoredIdentity | undefined = entry && {
          ...(before === undefined ? withNextKey(entry, nextKeyFor(wanted, keys)) : entry),
          // Once said, it stays said until the rotation is finished.
          ...(compromised ? { compromised } : {}),
        };
        const changed = next && toRotatingEntry(next, before !== undefined);
        if (next === undefined || changed === undefined) throw removed();
        rotating = changed;
        const isSame = before !== undefined && next.compromised === entry?.compromised;
        return isSame ? undefined : withEntry(current, owner, next);
      },
      { signal },
    );
    if (rotating === undefined) throw removed();
    return rotating;
  }

  async #send(
    owner: IdentityOwner,
    human: CurrentHuman,
    rotating: RotatingEntry,
    turn: Turn,
  ): Promise<SentRotation> {
    const { store, keys, emit } = this.#options;
    const { entry, nextKey } = rotating;
    const onUselessKey = () => this.#takeBackNextKey(owner, rotating);
    const answer = await this.#requests.send({ owner, human, rotating, turn, onUselessKey });
    emit("answered", owner, { agentRuntimeId: entry.agent_runtime_id });
    const formerLine = publicLineOf(entry) ?? "";
    const next = nextKey.public_key === undefined ? undefined : keys.find(nextKey, {});
    const rotate = (stored: StoredIdentity): StoredIdentity => {
      // The secret stays, so that a thread whose state is lost gets its task again.
      const kept = next === undefined ? nextKey : keys.kept(next, stored.idempotency_secret);
      return withFormerKey(withEntryKey(stored, kept), formerLine);
    };
    let rotated = rotate(entry);
    let isKept = false;
    // The signal does not end this: the new key is in force at the authority, even if no caller waits any more.
    await store.update((current) => {
      const stored = findEntry(current, owner, store);
      isKept =
        isSameEntryKey(stored, entry) &&
        isSameEntryKey(stored === undefined ? undefined : nextKeyOf(stored), nextKey);
      if (stored === undefined || !isKept) return undefined;
      // What else was noted of the agent while the authority was asked stays.
      rotated = rotate(stored);
      return withEntry(current, owner, rotated);
    });
    if (!isKept) throw removed();
    emit("rotated", owner, { agentRuntimeId: entry.agent_runtime_id });
    return { rotated, formerKeyEndsAt: answer.formerKeyEndsAt };
  }

  async #takeBackNextKey(owner: IdentityOwner, { nextKey }: RotatingEntry): Promise<void> {
    const { store } = this.#options;
    try {
      await store.update((current) => {
        const entry = findEntry(current, owner, store);
        if (entry === undefined || !isSameEntryKey(nextKeyOf(entry), nextKey)) return undefined;
        return withEntry(current, owner, withoutNextKey(entry));
      });
    } catch {
      // The refusal says more than a store that cannot be written. A key that stays is sent again by the next rotation.
    }
  }
}

// The key that takes over: a signer's where keys are kept elsewhere, otherwise one that is made here.
function nextKeyFor(next: AgentSigner | undefined, keys: AgentKeys): EntryKey {
  return next === undefined ? keys.fresh() : { public_key: next.publicKey.line };
}

function checkNext(entry: StoredIdentity, next: AgentSigner | undefined, keys: AgentKeys): void {
  if (keys.isElsewhere !== (next !== undefined)) throw wrongNext(keys);
  if (next !== undefined && next.publicKey.line === publicLineOf(entry)) {
    throw wrongNext(keys, "is the agent's key already");
  }
}

function wrongNext(keys: AgentKeys, problem?: string): AgentIdentityError {
  const needed = "must be an AgentSigner, the key that takes over: the manager has signers";
  const unwanted = "needs a manager that was made with signers";
  const what = problem ?? (keys.isElsewhere ? needed : unwanted);
  return new AgentIdentityError("config_invalid", `next ${what}`, {
    hint: "correct what is given as next",
  });
}

function noAgent(): AgentIdentityError {
  return new AgentIdentityError(
    "no_identity",
    "this login has no agent whose key could be rotated",
    {
      hint: "register it first",
    },
  );
}

function removed(): AgentIdentityError {
  return new AgentIdentityError(
    "no_identity",
    "the identity was removed from the store while its key was rotated",
    { retryable: true, hint: "try again" },
  );
}
