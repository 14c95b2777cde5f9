import { AgentKey } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { AgentKeyRotation } from "./agent-key-rotation.js";
import type { CurrentHuman } from "./agent-registrar.js";
import type { AuthorityClient } from "./client/authority-client.js";
import type { CallPatience } from "./client/authority-request.js";
import type { CredentialStore } from "./credential-store.js";
import { withFormerKey } from "./former-keys.js";
import { publishIdentityEvent } from "./identity-channel.js";
import {
  findEntry,
  type IdentityOwner,
  importEntryKey,
  ownerKey,
  withEntry,
  withoutNextKey,
} from "./identity-owner.js";
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
  readonly known: KnownIdentities;
  /** Makes the error of a rotation that no caller waits for any more. */
  readonly abortError: (cause: unknown) => Error;
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
    compromised: boolean,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentKeyRotation> {
    return this.#rotations.join(
      `${compromised} ${ownerKey(owner)}`,
      (alone) => this.#rotate(owner, human, compromised, alone, patience),
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
    if (entry?.next_private_key === undefined) return undefined;
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
    compromised: boolean,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentKeyRotation> {
    return runAlone(this.#options, owner, signal, patience, async (turn) => {
      const { store } = this.#options;
      const entry = findEntry(await store.load(), owner, store);
      if (entry?.state !== "registered") throw noAgent();
      publishIdentityEvent("rotating", owner, entry.agent_runtime_id);
      const rotating = await this.#keepNextKey(owner, compromised, turn);
      publishIdentityEvent("next_key_stored", owner, entry.agent_runtime_id);
      return await this.#send(owner, human, rotating, turn);
    });
  }

  #finish(
    refused: AgentIdentity,
    human: CurrentHuman,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentIdentity | undefined> {
    return runAlone(this.#options, refused, signal, patience, async (turn) => {
      const { store, known } = this.#options;
      const entry = findEntry(await store.load(), refused, store);
      const stored = entry && known.of(entry);
      if (stored === undefined) return undefined;
      if (!isSameIdentity(stored, refused)) return stored;
      const rotating = entry && toRotatingEntry(entry);
      if (rotating === undefined) return undefined;
      publishIdentityEvent("rotating", refused, stored.agentRuntimeId);
      publishIdentityEvent("next_key_stored", refused, stored.agentRuntimeId);
      return (await this.#send(refused, human, rotating, turn)).identity;
    });
  }

  async #keepNextKey(
    owner: IdentityOwner,
    compromised: boolean,
    { signal }: Turn,
  ): Promise<RotatingEntry> {
    const { store } = this.#options;
    const fresh = AgentKey.generate().exportPkcs8();
    let rotating: RotatingEntry | undefined;
    await store.update(
      (current) => {
        const entry = findEntry(current, owner, store);
        const before = entry && toRotatingEntry(entry);
        const next: StoredIdentity | undefined = entry && {
          ...entry,
          next_private_key: before?.nextPrivateKey ?? fresh,
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
  ): Promise<AgentKeyRotation> {
    const { store, known } = this.#options;
    const { entry, nextPrivateKey } = rotating;
    const onUselessKey = () => this.#takeBackNextKey(owner, rotating);
    const answer = await this.#requests.send({ owner, human, rotating, turn, onUselessKey });
    publishIdentityEvent("answered", owner, entry.agent_runtime_id);
    const formerLine = importEntryKey(entry, store).publicKey.line;
    const rotate = (stored: StoredIdentity): StoredIdentity =>
      withFormerKey({ ...withoutNextKey(stored), private_key: nextPrivateKey }, formerLine);
    let rotated = rotate(entry);
    let isKept = false;
    // The signal does not end this: the new key is in force at the authority, even if no caller waits any more.
    await store.update((current) => {
      const stored = findEntry(current, owner, store);
      isKept =
        stored?.private_key === entry.private_key && stored.next_private_key === nextPrivateKey;
      if (stored === undefined || !isKept) return undefined;
      // What else was noted of the agent while the authority was asked stays.
      rotated = rotate(stored);
      return withEntry(current, owner, rotated);
    });
    const identity = known.of(rotated);
    if (!isKept || identity === undefined) {
      throw removed();
    }
    publishIdentityEvent("rotated", owner, entry.agent_runtime_id);
    return { identity, formerKeyEndsAt: answer.formerKeyEndsAt };
  }

  async #takeBackNextKey(owner: IdentityOwner, { nextPrivateKey }: RotatingEntry): Promise<void> {
    const { store } = this.#options;
    try {
      await store.update((current) => {
        const entry = findEntry(current, owner, store);
        if (entry?.next_private_key !== nextPrivateKey) return undefined;
        return withEntry(current, owner, withoutNextKey(entry));
      });
    } catch {
      // The refusal says more than a store that cannot be written. A key that stays is sent again by the next rotation.
    }
  }
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
