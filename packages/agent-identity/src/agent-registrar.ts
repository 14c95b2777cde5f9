import { type AgentSigner, formatTimestamp } from "@countersign/agent-key";
import { agentAttributes, inSpan } from "@countersign/agent-key/tracing";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { AgentKeys } from "./agent-keys.js";
import type { HumanAuth } from "./auth.js";
import type { AuthorityClient } from "./client/authority-client.js";
import type { CallPatience } from "./client/authority-request.js";
import type { CredentialStore } from "./credential-store.js";
import { isSameEntryKey } from "./entry-key.js";
import { type EmitIdentityEvent, emittingFailure } from "./identity-events.js";
import { findEntry, type IdentityOwner, withEntry } from "./identity-owner.js";
import { ownerSpan } from "./internal/owner-span.js";
import { VERSION } from "./internal/version.js";
import { isPlainRefusal, type KeptKey, keepKey, takeBackKey } from "./kept-key.js";
import { isSameIdentity, type KnownIdentities } from "./known-identities.js";
import { runAlone, type Turn } from "./run-alone.js";
import type { AgentRegistrationResponse } from "./schema/agent-registration.js";
import type { AgentBillOfMaterials } from "./schema/agent-registration-request.js";
import type { StoredIdentity } from "./schema/credentials.js";

/** Options of {@link AgentRegistrar}. */
export interface AgentRegistrarOptions {
  readonly client: AuthorityClient;
  readonly store: CredentialStore;
  readonly abom: AgentBillOfMaterials | undefined;
  readonly capabilities: readonly string[];
  readonly ttlSeconds: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly now: () => number;
  readonly keys: AgentKeys;
  readonly known: KnownIdentities;
  readonly emit: EmitIdentityEvent;
}

/**
 * Returns the human's login for a registration: the login that is current when the registration's turn has come, not when it was asked for.
 * Rejects if that login is no longer the owner's.
 */
export type CurrentHuman = () => Promise<HumanAuth>;

/** Registers keys and stores them: one registration at a time for each owner, across all processes that share the store. */
export class AgentRegistrar {
  readonly #options: AgentRegistrarOptions;

  constructor(options: AgentRegistrarOptions) {
    this.#options = options;
  }

  /** The stored identity of an owner. Rejects with `store_corrupt` if it cannot be read. */
  async find(owner: IdentityOwner): Promise<AgentIdentity | undefined> {
    const entry = findEntry(await this.#options.store.load(), owner, this.#options.store);
    return entry === undefined ? undefined : this.#options.known.of(entry);
  }

  /** Returns the stored identity, or registers one. Continues with a pending key, and makes a new key only if there is no such key. */
  register(
    owner: IdentityOwner,
    human: CurrentHuman,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentIdentity> {
    return this.#run(owner, signal, patience, (turn) => this.#findOrRegister(owner, human, turn));
  }

  /** Replaces an identity unless the store already has another one. See `AgentIdentityManager.replace`. */
  replace(
    refused: AgentIdentity,
    code: "unknown_agent" | "agent_expired",
    human: CurrentHuman,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentIdentity> {
    return this.#run(refused, signal, patience, async (turn) => {
      const stored = await this.find(refused);
      if (stored === undefined) return await this.#findOrRegister(refused, human, turn);
      if (!isSameIdentity(stored, refused)) return stored;
      await human();
      const kept =
        code === "unknown_agent"
          ? await this.#keepKey(refused, refused.key, turn)
          : { entry: await this.#loadEntry(refused) };
      const { emit } = this.#options;
      const formerAgentRuntimeId = refused.agentRuntimeId;
      const identity = await this.#send(refused, human, kept, turn);
      const { agentRuntimeId } = identity;
      emit("replaced", refused, { agentRuntimeId, formerAgentRuntimeId, code });
      return identity;
    });
  }

  #run<T>(
    owner: IdentityOwner,
    signal: AbortSignal,
    patience: CallPatience,
    run: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    const about = { owner, during: "registration", signal } as const;
    return emittingFailure(this.#options.emit, about, () =>
      runAlone(this.#options, owner, signal, patience, run),
    );
  }

  async #findOrRegister(
    owner: IdentityOwner,
    human: CurrentHuman,
    turn: Turn,
  ): Promise<AgentIdentity> {
    const found = await this.find(owner);
    if (found !== undefined) return found;
    // No key is made for a login that has ended.
    await human();
    const kept = await this.#keepKey(owner, undefined, turn);
    // Another process may have come first where the store's lock does not hold across processes.
    return this.#options.known.of(kept.entry) ?? (await this.#send(owner, human, kept, turn));
  }

  async #keepKey(owner: IdentityOwner, replaced: AgentSigner | undefined, { signal }: Turn) {
    this.#options.emit("registering", owner, {});
    const kept = await keepKey(this.#options, owner, replaced, signal);
    this.#options.emit("key_stored", owner, {});
    return kept;
  }

  async #send(
    owner: IdentityOwner,
    human: CurrentHuman,
    kept: KeptKey,
    turn: Turn,
  ): Promise<AgentIdentity> {
    const { store, now, emit } = this.#options;
    const { entry } = kept;
    const answer = await this.#request(owner, human, kept, turn);
    emit("answered", owner, { agentRuntimeId: answer.agentRuntimeId });
    assertRegisteredFor(owner, answer);
    const registered: StoredIdentity = {
      ...entry,
      agent_runtime_id: answer.agentRuntimeId,
      state: "registered",
      registered_at: formatTimestamp(now()),
      ephemeral: answer.ephemeral === true ? true : undefined,
    };
    let isKept = false;
    // The signal does not end this: the agent exists now, and its id is kept even if no caller waits any more.
    await store.update((current) => {
      isKept = isSameEntryKey(findEntry(current, owner, store), entry);
      return isKept ? withEntry(current, owner, registered) : undefined;
    });
    const identity = this.#options.known.of(registered);
    if (!isKept || identity === undefined) {
      throw new AgentIdentityError(
        "no_identity",
        "the identity was removed from the store while it was registered",
        { retryable: true, hint: "try again" },
      );
    }
    emit("registered", owner, { agentRuntimeId: answer.agentRuntimeId });
    return identity;
  }

  async #request(
    owner: IdentityOwner,
    human: CurrentHuman,
    kept: KeptKey,
    { signal, patience }: Turn,
  ): Promise<AgentRegistrationResponse> {
    const { client, keys, capabilities, ttlSeconds, abom = defaultAbom() } = this.#options;
    const key = keys.keyOf(kept.entry);
    const { publicKey } = key;
    const { accountId, userId } = owner;
    // Read just before it is sent, so that the token of a login that has ended is sent nowhere.
    const { accessToken, proof = "bearer", ephemeralSeconds } = await human();
    const life = ephemeralSeconds ?? ttlSeconds;
    const ephemeral = ephemeralSeconds !== undefined;
    let mayBeKnown = kept.before === undefined;
    this.#options.emit("requesting", owner, {});
    try {
      return await inSpan("register agent", ownerSpan(owner), async (span) => {
        const answer = await client.registerAgent(
          {
            ...{ accessToken, proof, publicKey, key, abom, capabilities, accountId, userId },
            ...{ ttlSeconds: life, ephemeral },
          },
          {
            ...patience(),
            signal,
            onRetry: () => {
              mayBeKnown = true;
            },
          },
        );
        span?.set(agentAttributes({ agentRuntimeId: answer.agentRuntimeId }));
        return answer;
      });
    } catch (error) {
      if (!mayBeKnown && isPlainRefusal(error)) await takeBackKey(this.#options.store, owner, kept);
      throw error;
    }
  }

  async #loadEntry(owner: IdentityOwner): Promise<StoredIdentity> {
    const entry = findEntry(await this.#options.store.load(), owner, this.#options.store);
    if (entry !== undefined) return entry;
    throw new AgentIdentityError("no_identity", "the identity is no longer in the store", {
      retryable: true,
      hint: "try again",
    });
  }
}

function assertRegisteredFor(
  owner: IdentityOwner,
  answer: { readonly accountId?: string | undefined; readonly userId?: string | undefined },
): void {
  const { accountId = owner.accountId, userId = owner.userId } = answer;
  if (accountId === owner.accountId && userId === owner.userId) return;
  throw new AgentIdentityError(
    "bad_response",
    "the authority registered the agent for another account or user than this login's",
    { hint: "log in again with the account and user that the access token belongs to" },
  );
}

function defaultAbom(): AgentBillOfMaterials {
  return {
    agentVersion: VERSION,
    agentHarnessId: "countersign",
    runningLocation: `node-${process.platform}`,
  };
}
