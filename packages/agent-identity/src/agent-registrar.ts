import { type AgentKey, formatTimestamp } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { HumanAuth } from "./auth.js";
import { type Binding, findEntry, importEntryKey, withEntry } from "./binding.js";
import type { AuthorityClient } from "./client/authority-client.js";
import type { CallPatience } from "./client/authority-request.js";
import type { CredentialStore } from "./credential-store.js";
import { publishIdentityEvent } from "./identity-channel.js";
import { VERSION } from "./internal/version.js";
import { isPlainRefusal, type KeptKey, keepKey, takeBackKey } from "./kept-key.js";
import { isSameIdentity, type KnownIdentities } from "./known-identities.js";
import { runAlone, type Turn } from "./run-alone.js";
import type {
  AgentBillOfMaterials,
  AgentRegistrationResponse,
} from "./schema/agent-registration.js";
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
  readonly known: KnownIdentities;
}

/**
 * Gives the human auth that a registration is made with: that of the moment in which the registration's turn has come, not of the moment
 * in which it was asked for. Rejects when it is no longer the binding's.
 */
export type CurrentHuman = () => Promise<HumanAuth>;

/** Registers keys and keeps them: one registration at a time for each binding, across all processes that share the store. */
export class AgentRegistrar {
  readonly #options: AgentRegistrarOptions;

  constructor(options: AgentRegistrarOptions) {
    this.#options = options;
  }

  /** The stored identity of a binding. Rejects with `store_corrupt` when it cannot be read. */
  async find(binding: Binding): Promise<AgentIdentity | undefined> {
    const entry = findEntry(await this.#options.store.load(), binding, this.#options.store);
    return entry === undefined ? undefined : this.#options.known.of(entry);
  }

  /** The stored identity, or a new one: pending keys are taken up again before new ones are made. */
  register(
    binding: Binding,
    human: CurrentHuman,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentIdentity> {
    return runAlone(this.#options, binding, signal, patience, (turn) =>
      this.#findOrRegister(binding, human, turn),
    );
  }

  /** Replaces an identity unless somebody did so meanwhile. See `AgentIdentityManager.replace`. */
  replace(
    refused: AgentIdentity,
    code: "unknown_agent" | "agent_expired",
    human: CurrentHuman,
    signal: AbortSignal,
    patience: CallPatience,
  ): Promise<AgentIdentity> {
    return runAlone(this.#options, refused, signal, patience, async (turn) => {
      const stored = await this.find(refused);
      if (stored === undefined) return await this.#findOrRegister(refused, human, turn);
      if (!isSameIdentity(stored, refused)) return stored;
      await human();
      const kept =
        code === "unknown_agent"
          ? await this.#keepKey(refused, refused.key, turn)
          : { entry: await this.#loadEntry(refused) };
      return await this.#send(refused, human, kept, turn);
    });
  }

  async #findOrRegister(binding: Binding, human: CurrentHuman, turn: Turn): Promise<AgentIdentity> {
    const found = await this.find(binding);
    if (found !== undefined) return found;
    // No key is made for somebody who has gone.
    await human();
    const kept = await this.#keepKey(binding, undefined, turn);
    // Another process may have come first where the store's lock does not hold across processes.
    return this.#options.known.of(kept.entry) ?? (await this.#send(binding, human, kept, turn));
  }

  async #keepKey(binding: Binding, replaced: AgentKey | undefined, { signal }: Turn) {
    publishIdentityEvent("registering", binding);
    const kept = await keepKey(this.#options.store, binding, replaced, signal);
    publishIdentityEvent("key_stored", binding);
    return kept;
  }

  async #send(
    binding: Binding,
    human: CurrentHuman,
    kept: KeptKey,
    turn: Turn,
  ): Promise<AgentIdentity> {
    const { store, now } = this.#options;
    const { entry } = kept;
    const answer = await this.#request(binding, human, kept, turn);
    publishIdentityEvent("answered", binding, answer.agentRuntimeId);
    assertRegisteredFor(binding, answer);
    const registered: StoredIdentity = {
      ...entry,
      agent_runtime_id: answer.agentRuntimeId,
      state: "registered",
      registered_at: formatTimestamp(now()),
    };
    let isKept = false;
    // Not ended by the signal: the agent exists now, and what is known of it is worth keeping whoever still waits.
    await store.update((current) => {
      isKept = findEntry(current, binding, store)?.private_key === entry.private_key;
      return isKept ? withEntry(current, binding, registered) : undefined;
    });
    const identity = this.#options.known.of(registered);
    if (!isKept || identity === undefined) {
      throw new AgentIdentityError(
        "no_identity",
        "the identity was removed from the store while it was registered",
        { retryable: true, hint: "try again" },
      );
    }
    publishIdentityEvent("registered", binding, answer.agentRuntimeId);
    return identity;
  }

  async #request(
    binding: Binding,
    human: CurrentHuman,
    kept: KeptKey,
    { signal, patience }: Turn,
  ): Promise<AgentRegistrationResponse> {
    const { client, store, capabilities, ttlSeconds, abom = defaultAbom() } = this.#options;
    const key = importEntryKey(kept.entry, store);
    const { publicKey } = key;
    const { accountId, userId } = binding;
    // Looked at just before it is sent: the token of somebody who logged out meanwhile goes nowhere.
    const { accessToken, proof = "bearer" } = await human();
    let mayBeKnown = kept.before === undefined;
    publishIdentityEvent("requesting", binding);
    try {
      return await client.registerAgent(
        { accessToken, proof, publicKey, key, abom, capabilities, ttlSeconds, accountId, userId },
        {
          ...patience(),
          signal,
          onRetry: () => {
            mayBeKnown = true;
          },
        },
      );
    } catch (error) {
      if (!mayBeKnown && isPlainRefusal(error))
        await takeBackKey(this.#options.store, binding, kept);
      throw error;
    }
  }

  async #loadEntry(binding: Binding): Promise<StoredIdentity> {
    const entry = findEntry(await this.#options.store.load(), binding, this.#options.store);
    if (entry !== undefined) return entry;
    throw new AgentIdentityError("no_identity", "the identity is no longer in the store", {
      retryable: true,
      hint: "try again",
    });
  }
}

function assertRegisteredFor(
  binding: Binding,
  answer: { readonly accountId?: string | undefined; readonly userId?: string | undefined },
): void {
  const { accountId = binding.accountId, userId = binding.userId } = answer;
  if (accountId === binding.accountId && userId === binding.userId) return;
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
