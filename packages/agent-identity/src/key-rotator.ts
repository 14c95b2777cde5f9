import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { AgentKeyRotation } from "./agent-key-rotation.js";
import type { CurrentHuman } from "./agent-registrar.js";
import { AuthorityError } from "./authority-error.js";
import {
  type Binding,
  bindingKey,
  findEntry,
  importEntryKey,
  importNextKey,
  withEntry,
  withoutNextKey,
} from "./binding.js";
import type { AuthorityClient } from "./client/authority-client.js";
import { AuthorityClock } from "./client/authority-clock.js";
import type { CredentialStore } from "./credential-store.js";
import { withFormerKey } from "./former-keys.js";
import { publishIdentityEvent } from "./identity-channel.js";
import { SharedFlights } from "./internal/shared-flights.js";
import { isPlainRefusal } from "./kept-key.js";
import { isSameIdentity, type KnownIdentities } from "./known-identities.js";
import { runAlone, type Turn } from "./run-alone.js";
import type { StoredIdentity } from "./schema/credentials.js";
import type { KeyRotationResponse } from "./schema/key-rotation.js";
import { WHOAMI_PATH } from "./schema/whoami.js";

/** Options of {@link KeyRotator}. */
export interface KeyRotatorOptions {
  readonly client: AuthorityClient;
  readonly store: CredentialStore;
  readonly deadlineMs: number | undefined;
  readonly now: () => number;
  readonly known: KnownIdentities;
  /** Makes the error of a rotation that nobody waits for any more. */
  readonly abortError: (cause: unknown) => Error;
}

/** A registered entry with the key that takes over. */
interface Rotating {
  readonly entry: StoredIdentity & { readonly agent_runtime_id: string };
  readonly nextPrivateKey: string;
  /** Whether the authority may know the next key already. */
  readonly mayBeKnown: boolean;
}

/**
 * Rotates keys, one at a time for each binding across all processes that share the store. The next key is in the store beside the current one
 * before the authority hears of it, and takes its place after the answer: whatever ends the rotation before, the next one sends the same key,
 * and the authority answers a repetition as it answered the first.
 */
export class KeyRotator {
  readonly #options: KeyRotatorOptions;
  readonly #clock: AuthorityClock;
  readonly #rotations: SharedFlights<AgentKeyRotation>;
  readonly #finishes: SharedFlights<AgentIdentity | undefined>;

  constructor(options: KeyRotatorOptions) {
    this.#options = options;
    this.#rotations = new SharedFlights(options.abortError);
    this.#finishes = new SharedFlights(options.abortError);
    this.#clock = new AuthorityClock(options.now);
  }

  /** See `AgentIdentityManager.rotate`. Callers at once share one rotation. */
  rotate(
    binding: Binding,
    human: CurrentHuman,
    compromised: boolean,
    signal: AbortSignal,
  ): Promise<AgentKeyRotation> {
    return this.#rotations.join(
      `${compromised} ${bindingKey(binding)}`,
      (alone) => this.#rotate(binding, human, compromised, alone),
      signal,
    );
  }

  /** See `AgentIdentityManager.finishRotation`. */
  async finish(
    refused: AgentIdentity,
    human: CurrentHuman,
    signal: AbortSignal,
  ): Promise<AgentIdentity | undefined> {
    const { store, known } = this.#options;
    const entry = findEntry(await store.load(), refused, store);
    const stored = entry && known.of(entry);
    // Nobody waits for a lock because a resource server says whatever it likes.
    if (stored === undefined || !isSameIdentity(stored, refused)) return stored;
    if (entry?.next_private_key === undefined) return undefined;
    return await this.#finishes.join(
      `${refused.key.publicKey.line} ${bindingKey(refused)}`,
      (alone) => this.#finish(refused, human, alone),
      signal,
    );
  }

  /** Ends what is in flight. */
  async close(): Promise<void> {
    await Promise.all([this.#rotations.close(), this.#finishes.close()]);
  }

  #rotate(
    binding: Binding,
    human: CurrentHuman,
    compromised: boolean,
    signal: AbortSignal,
  ): Promise<AgentKeyRotation> {
    return runAlone(this.#options, binding, signal, async (turn) => {
      const { store } = this.#options;
      const entry = findEntry(await store.load(), binding, store);
      if (entry?.state !== "registered") throw noAgent();
      publishIdentityEvent("rotating", binding, entry.agent_runtime_id);
      const rotating = await this.#keepNextKey(binding, compromised, turn);
      publishIdentityEvent("next_key_stored", binding, entry.agent_runtime_id);
      return await this.#send(binding, human, rotating, turn);
    });
  }

  #finish(
    refused: AgentIdentity,
    human: CurrentHuman,
    signal: AbortSignal,
  ): Promise<AgentIdentity | undefined> {
    return runAlone(this.#options, refused, signal, async (turn) => {
      const { store, known } = this.#options;
      const entry = findEntry(await store.load(), refused, store);
      const stored = entry && known.of(entry);
      if (stored === undefined) return undefined;
      if (!isSameIdentity(stored, refused)) return stored;
      const rotating = entry && toRotating(entry);
      if (rotating === undefined) return undefined;
      publishIdentityEvent("rotating", refused, stored.agentRuntimeId);
      publishIdentityEvent("next_key_stored", refused, stored.agentRuntimeId);
      return (await this.#send(refused, human, rotating, turn)).identity;
    });
  }

  async #keepNextKey(binding: Binding, compromised: boolean, { signal }: Turn): Promise<Rotating> {
    const { store } = this.#options;
    const fresh = AgentKey.generate().exportPkcs8();
    let rotating: Rotating | undefined;
    await store.update(
      (current) => {
        const entry = findEntry(current, binding, store);
        const before = entry && toRotating(entry);
        const next: StoredIdentity | undefined = entry && {
          ...entry,
          next_private_key: before?.nextPrivateKey ?? fresh,
          // Once said, it stays said until the rotation is finished.
          ...(compromised ? { compromised } : {}),
        };
        const changed = next && toRotating(next, before !== undefined);
        if (next === undefined || changed === undefined) throw removed();
        rotating = changed;
        const isSame = before !== undefined && next.compromised === entry?.compromised;
        return isSame ? undefined : withEntry(current, binding, next);
      },
      { signal },
    );
    if (rotating === undefined) throw removed();
    return rotating;
  }

  async #send(
    binding: Binding,
    human: CurrentHuman,
    rotating: Rotating,
    turn: Turn,
  ): Promise<AgentKeyRotation> {
    const { store, known } = this.#options;
    const { entry, nextPrivateKey } = rotating;
    const answer = await this.#request(binding, human, rotating, turn);
    publishIdentityEvent("answered", binding, entry.agent_runtime_id);
    const formerLine = importEntryKey(entry, store).publicKey.line;
    const rotate = (stored: StoredIdentity): StoredIdentity =>
      withFormerKey({ ...withoutNextKey(stored), private_key: nextPrivateKey }, formerLine);
    let rotated = rotate(entry);
    let isKept = false;
    // Not ended by the signal: the key has taken over, whoever still waits.
    await store.update((current) => {
      const stored = findEntry(current, binding, store);
      isKept =
        stored?.private_key === entry.private_key && stored.next_private_key === nextPrivateKey;
      if (stored === undefined || !isKept) return undefined;
      // What else was noted of the agent while the authority was asked stays.
      rotated = rotate(stored);
      return withEntry(current, binding, rotated);
    });
    const identity = known.of(rotated);
    if (!isKept || identity === undefined) {
      throw removed();
    }
    publishIdentityEvent("rotated", binding, entry.agent_runtime_id);
    return { identity, formerKeyEndsAt: answer.formerKeyEndsAt };
  }

  async #request(
    binding: Binding,
    human: CurrentHuman,
    rotating: Rotating,
    turn: Turn,
  ): Promise<KeyRotationResponse> {
    let { mayBeKnown } = rotating;
    const send = () =>
      this.#requestOnce(binding, human, rotating, turn, () => {
        mayBeKnown = true;
      });
    try {
      try {
        return await send();
      } catch (error) {
        if (!(await this.#learnsTime(error, human, turn))) throw error;
        return await send();
      }
    } catch (error) {
      // A key that is refused for itself never becomes the agent's.
      const isUseless = AuthorityError.is(error) && error.code === "invalid_key";
      if (isUseless || (!mayBeKnown && isPlainRefusal(error))) {
        await this.#takeBackNextKey(binding, rotating);
      }
      throw error;
    }
  }

  async #requestOnce(
    binding: Binding,
    human: CurrentHuman,
    { entry, nextPrivateKey }: Rotating,
    { signal, leftMs }: Turn,
    onRetry: () => void,
  ): Promise<KeyRotationResponse> {
    const { client, store } = this.#options;
    const current = importEntryKey(entry, store);
    const next = importNextKey(nextPrivateKey, store);
    // Looked at just before it is sent: the token of somebody who logged out meanwhile goes nowhere.
    const { accessToken } = await human();
    publishIdentityEvent("requesting", binding, entry.agent_runtime_id);
    return await client.rotateKey(
      {
        accessToken,
        agentRuntimeId: entry.agent_runtime_id,
        current,
        next,
        compromised: entry.compromised,
        timestamp: formatTimestamp(this.#clock.now()),
      },
      { signal, deadlineMs: leftMs(), onRetry },
    );
  }

  // protocol.md §8: after a refusal for the time one question to the authority tells its clock.
  async #learnsTime(error: unknown, human: CurrentHuman, turn: Turn): Promise<boolean> {
    if (!AuthorityError.is(error)) return false;
    const { code } = error;
    if (code !== "expired" && code !== "not_yet_valid") return false;
    const { accessToken } = await human();
    const who = { accessToken, proof: "bearer" } as const;
    const question = { method: "GET", path: WHOAMI_PATH, human: who, retry: false } as const;
    return await this.#clock.learn(code, this.#clock.offsetSeconds, async () => {
      try {
        const call = { signal: turn.signal, deadlineMs: turn.leftMs() };
        this.#clock.observe(await this.#options.client.request(question, call));
      } catch (failure) {
        // Without an answer there is nothing to learn, and the refusal stands as it is.
        if (!AuthorityError.is(failure)) throw failure;
      }
    });
  }

  async #takeBackNextKey(binding: Binding, { nextPrivateKey }: Rotating): Promise<void> {
    const { store } = this.#options;
    try {
      await store.update((current) => {
        const entry = findEntry(current, binding, store);
        if (entry?.next_private_key !== nextPrivateKey) return undefined;
        return withEntry(current, binding, withoutNextKey(entry));
      });
    } catch {
      // The refusal says more than a store that cannot be written. A key that stays is sent again by the next rotation.
    }
  }
}

function toRotating(entry: StoredIdentity, mayBeKnown = true): Rotating | undefined {
  const { agent_runtime_id, next_private_key, state } = entry;
  if (state !== "registered" || agent_runtime_id === undefined) return undefined;
  if (next_private_key === undefined) return undefined;
  return { entry: { ...entry, agent_runtime_id }, nextPrivateKey: next_private_key, mayBeKnown };
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
