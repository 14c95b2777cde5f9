import { EventEmitter } from "node:events";
import { AgentKeyError, parseAuthority } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import {
  AGENT_SIGNER,
  type AgentIdentityManagerOptions,
  type EnsureIdentityOptions,
  MANAGER_OPTIONS,
  type RotateIdentityOptions,
} from "./agent-identity-manager-options.js";
import type { AgentKeyRotation } from "./agent-key-rotation.js";
import { AgentKeys } from "./agent-keys.js";
import { AgentRegistrar, type CurrentHuman } from "./agent-registrar.js";
import type { Auth } from "./auth.js";
import { AuthorityClient } from "./client/authority-client.js";
import { CurrentAuth } from "./current-auth.js";
import { forgetIdentity } from "./forget-identity.js";
import {
  type AgentIdentityEvents,
  type EmitIdentityEvent,
  identityEmitter,
} from "./identity-events.js";
import { type IdentityLook, IdentityLooks, NO_LOGIN, ownIdentity } from "./identity-look.js";
import { type IdentityOwner, isSameOwner, ownerKey, toIdentityOwner } from "./identity-owner.js";
import { checkOption, checkOptions, PATIENCE_OPTIONS } from "./internal/options.js";
import { SharedFlights } from "./internal/shared-flights.js";
import { KeyRotator } from "./key-rotator.js";
import { KnownIdentities } from "./known-identities.js";

// An auth source whose login changes at every look is faulty: waiting for it would not end.
const MAX_AUTH_CHANGES = 8;

/**
 * Returns the agent identity of the current login. Registers one agent for each (authority, account, user), also if many callers and
 * processes ask at the same time.
 *
 * - A key is stored before it is sent to the authority. A registration that was cut off continues with the same key.
 * - An identity is returned only for the account and user that it was made for. The manager checks this again after each registration, so a
 *   logout or a switch of the login during a registration wins. Identities of other logins stay stored.
 * - A store that cannot be read is an error, never "no identity".
 *
 * @see architecture.md, agent-identity; protocol.md §4, §5.4, §10
 */
export class AgentIdentityManager extends EventEmitter<AgentIdentityEvents> {
  /** Normalised base URL. */
  readonly authority: string;
  readonly client: AuthorityClient;
  readonly #options: AgentIdentityManagerOptions;
  readonly #keys: AgentKeys;
  readonly #registrar: AgentRegistrar;
  readonly #rotator: KeyRotator;
  readonly #auth: CurrentAuth;
  readonly #looks: IdentityLooks;
  readonly #flights = new SharedFlights<AgentIdentity>(cancelled);
  readonly #emit: EmitIdentityEvent = identityEmitter(this);
  readonly #closing = new AbortController();
  #unsubscribe: (() => void) | undefined;

  /** @throws {AgentKeyError} `config_invalid`, naming the option, if one is missing or wrong; if `client` is for another authority */
  constructor(options: AgentIdentityManagerOptions) {
    super();
    checkOptions(options, MANAGER_OPTIONS);
    const signers = options.signers && [...options.signers];
    if (signers?.length === 0) checkOption("signers[0]", undefined, AGENT_SIGNER);
    for (const [at, signer] of signers?.entries() ?? []) {
      checkOption(`signers[${at}]`, signer, AGENT_SIGNER);
    }
    this.authority = parseAuthority(options.authority, options, "authority");
    this.client =
      options.client ??
      new AuthorityClient({
        authority: options.authority,
        fetch: options.fetch,
        insecureHttp: options.insecureHttp,
        deadlineMs: options.deadlineMs,
        attempts: options.attempts,
        now: options.now,
        onRetry: options.onRetry,
      });
    if (this.client.authority !== this.authority) {
      throw new AgentKeyError("config_invalid", "the client is for another authority", {
        hint: `make it for ${this.authority}`,
      });
    }
    this.#options = options;
    this.#auth = new CurrentAuth(this.authority, options);
    const { store, abom, capabilities = [], ttlSeconds, deadlineMs, now = Date.now } = options;
    this.#keys = new AgentKeys(store, signers);
    const known = new KnownIdentities(this.#keys);
    this.#looks = new IdentityLooks({
      authority: this.authority,
      auth: options.auth,
      store,
      known,
    });
    const emit = this.#emit;
    const keys = this.#keys;
    const common = { client: this.client, store, deadlineMs, now, keys, known, emit };
    this.#registrar = new AgentRegistrar({ ...common, abom, capabilities, ttlSeconds });
    this.#rotator = new KeyRotator({ ...common, abortError: cancelled });
  }

  /** Whether the feature `use_agent_identity` is on now. */
  get enabled(): boolean {
    return this.#auth.enabled;
  }

  /**
   * Returns the current login, as its source gives it. Works with the feature off as well, because requests then carry the human's own
   * token. With the feature off, it sends no request to learn of an agent that comes with its key.
   */
  async auth(): Promise<Auth | undefined> {
    return await this.#auth.current();
  }

  /**
   * Returns the identity of the current login. Registers it if none is stored.
   *
   * @returns `undefined` if the feature is off, or if there is no login
   * @throws {AuthorityError} if the authority refuses or cannot be reached; the next call tries again with the same key
   * @throws {AgentIdentityError} `bad_response`, `invalid_request`, `config_invalid`, `no_identity`, `not_logged_in`, `cancelled` by `close`
   * @throws {StoreError} `store_corrupt`, `store_denied`, `store_locked`
   * @throws {AgentKeyError} `config_invalid` for a number of the options that is out of range
   * @throws the reason of `signal` if the caller ended the call
   */
  async ensure(options: EnsureIdentityOptions = {}): Promise<AgentIdentity | undefined> {
    return await this.#withCurrent(options, async (owner, human, signal) => {
      const found = await this.#registrar.find(owner);
      if (found !== undefined) return found;
      return await this.#flights.join(
        ownerKey(owner),
        (alone) => this.#registrar.register(owner, human, alone, options),
        signal,
      );
    });
  }

  /** Returns the stored identity of the current login. Never touches the network and registers nothing. Rejects as `ensure`. */
  async peek(): Promise<AgentIdentity | undefined> {
    return this.enabled ? (await this.#looks.look("peek")).identity : undefined;
  }

  /**
   * Returns the current login with its agent, by one load of the store. If the login is in the same store (`loginAuth`), both come from one
   * content. Registers nothing. Made to be called before every request.
   *
   * @returns an empty look while the feature is off
   * @throws as {@link AgentIdentityManager.auth} and {@link AgentIdentityManager.peek}
   */
  async look(): Promise<IdentityLook> {
    return this.enabled ? await this.#looks.look("current") : NO_LOGIN;
  }

  /**
   * Replaces an identity that the authority itself refused. Never call it on a resource server's word alone. After `unknown_agent` it
   * registers a new key as a new agent; after `agent_expired` it registers the same key again with the current human's login.
   *
   * Compares before it replaces: if the store already has another identity, it returns that one and registers nothing. The caller limits
   * how often this is done (protocol.md §10: once).
   *
   * @returns the identity of the current login; `undefined` if the feature is off, or if there is no login
   * @throws {AgentIdentityError} with the given code if the agent came with its key, so that no human can renew it; otherwise as `ensure`
   */
  async replace(
    identity: AgentIdentity,
    code: "unknown_agent" | "agent_expired",
    options: EnsureIdentityOptions = {},
  ): Promise<AgentIdentity | undefined> {
    if (!this.enabled) return undefined;
    const auth = await this.#auth.current();
    if (auth?.kind === "agent") {
      throw new AgentIdentityError(code, "the authority refuses this agent, and no human is here", {
        hint: "log in again as the human that the agent works for",
      });
    }
    const key = `${code} ${identity.agentRuntimeId} ${identity.key.publicKey.line}`;
    return await this.#withCurrent(options, async (owner, human, signal) => {
      if (!isSameOwner(owner, identity)) return await this.ensure(options);
      this.#emit("refused", identity, { agentRuntimeId: identity.agentRuntimeId, code });
      return await this.#flights.join(
        `${ownerKey(owner)} ${key} ${identity.registeredAt}`,
        (alone) => this.#registrar.replace(identity, code, human, alone, options),
        signal,
      );
    });
  }

  /**
   * Gives the agent of the current login a new key. Its id, its tasks and its granted capabilities stay. The previous key is valid until the
   * new key is first used at the authority, for at most 24 hours.
   *
   * A rotation that was cut off, here or in another process, is finished with the key that it had chosen. If `next` is another key, the
   * agent is then rotated to `next`. The agent uses the previous key until the authority has answered.
   *
   * @returns `undefined` if the feature is off, or if there is no login
   * @throws {AuthorityError} if the authority refuses or cannot be reached
   * @throws {AgentIdentityError} `no_identity` without an agent; `not_logged_in` if the agent came with its key; `config_invalid` if `next` is
   * missing, not wanted or the agent's key already, or a signer is missing; `bad_response`, `cancelled`
   * @throws {StoreError} as the store
   * @see protocol.md §5.6
   */
  async rotate(options: RotateIdentityOptions = {}): Promise<AgentKeyRotation | undefined> {
    const auth = this.enabled ? await this.#auth.current() : undefined;
    if (auth === undefined) return undefined;
    if (auth.kind === "agent") {
      throw new AgentIdentityError(
        "not_logged_in",
        "a key is rotated for a human, and none is here",
        {
          hint: "log in as the human that the agent works for",
        },
      );
    }
    const owner = toIdentityOwner(this.authority, auth);
    const { compromised = false, next } = options;
    if (next !== undefined) {
      checkOption("next", next, AGENT_SIGNER);
      this.#keys.add(next);
    }
    return await this.#rotator.rotate(
      owner,
      () => this.#auth.humanOf(owner),
      { compromised, next },
      this.#signalOf(options),
      options,
    );
  }

  /**
   * Looks for the reason why the authority or a resource server refuses an agent's signature (`bad_signature`). Finishes a rotation that was
   * cut off, or returns the identity that another process has rotated or registered since `identity` was read.
   *
   * @returns `undefined` if it finds neither, if the feature is off, or if no human is logged in
   * @throws {AuthorityError} {@link AgentIdentityError} {@link StoreError} as `rotate`
   */
  async finishRotation(
    identity: AgentIdentity,
    options: EnsureIdentityOptions = {},
  ): Promise<AgentIdentity | undefined> {
    const auth = this.enabled ? await this.#auth.current() : undefined;
    if (auth?.kind !== "human") return undefined;
    const owner = toIdentityOwner(this.authority, auth);
    if (!isSameOwner(owner, identity)) return await this.ensure(options);
    const human = () => this.#auth.humanOf(owner);
    return await this.#rotator.finish(identity, human, this.#signalOf(options), options);
  }

  /**
   * Removes an identity from the store, also one that cannot be read there. Sends nothing to the authority: the agent stays registered
   * until it is revoked. Works with the feature off.
   *
   * @param identity - removed only if it is still the stored one. Default: the identity that is stored for the current login
   * @returns whether there was one
   * @throws {StoreError} as the store
   */
  async forget(identity?: AgentIdentity): Promise<boolean> {
    const owner = identity ?? (await this.#auth.owner());
    if (owner === undefined) return false;
    const isFound = await forgetIdentity(this.#options.store, owner, identity);
    if (isFound) this.#emit("forgotten", owner, { agentRuntimeId: identity?.agentRuntimeId });
    return isFound;
  }

  /** Takes note that the authority itself called an agent revoked: emits `refused`, and changes nothing. A manager of tasks calls it. */
  noteRevoked(identity: AgentIdentity): void {
    const { agentRuntimeId } = identity;
    this.#emit("refused", identity, { agentRuntimeId, code: "agent_revoked" });
  }

  /**
   * Follows the auth source: registers in the background now and after each change, so that the identity is stored before a caller needs
   * it. Reports no failure: the next `ensure` fails the same way or succeeds.
   */
  start(): void {
    if (this.#unsubscribe !== undefined || this.#closing.signal.aborted) return;
    const register = () => {
      // Background work: a caller that needs the identity calls `ensure` and gets the error there.
      this.ensure().catch(() => undefined);
    };
    this.#unsubscribe = this.#options.auth.subscribe?.(register) ?? (() => {});
    register();
  }

  /** Stops following, ends what is in flight and refuses further calls with `cancelled`. */
  async close(): Promise<void> {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#closing.abort();
    await Promise.all([this.#flights.close(), this.#rotator.close()]);
  }

  /**
   * Runs for the current login, and repeats if the login changes while it runs. Returns an identity only if it belongs to the login that is
   * current at the end.
   */
  async #withCurrent(
    options: EnsureIdentityOptions,
    run: (
      owner: IdentityOwner,
      human: CurrentHuman,
      signal: AbortSignal,
    ) => Promise<AgentIdentity | undefined>,
  ): Promise<AgentIdentity | undefined> {
    checkOptions(options, PATIENCE_OPTIONS);
    const signal = this.#signalOf(options);
    for (let change = 0; change < MAX_AUTH_CHANGES; change += 1) {
      if (!this.enabled) return undefined;
      options.signal?.throwIfAborted();
      if (signal.aborted) throw cancelled(signal.reason);
      const auth = await this.#auth.current();
      if (auth === undefined) return undefined;
      if (auth.kind === "agent") return ownIdentity(auth.identity, this.authority);
      const owner = toIdentityOwner(this.authority, auth);
      let token = auth.accessToken;
      const human = async () => {
        const now = await this.#auth.humanOf(owner);
        token = now.accessToken;
        return now;
      };
      try {
        const identity = await run(owner, human, signal);
        if (await this.#auth.isCurrent(owner)) return identity;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (signal.aborted) throw cancelled(signal.reason);
        if (!(await this.#auth.isOvertaken(owner, token, error))) throw error;
      }
    }
    throw new AgentIdentityError("not_logged_in", "the login keeps changing", {
      retryable: true,
      hint: "try again while no login changes",
    });
  }

  /** Ends with the caller's waiting, and with this manager. */
  #signalOf({ signal }: EnsureIdentityOptions): AbortSignal {
    const closing = this.#closing.signal;
    return signal === undefined ? closing : AbortSignal.any([closing, signal]);
  }
}

function cancelled(cause: unknown): AgentIdentityError {
  return new AgentIdentityError("cancelled", "the registration of the agent was cancelled", {
    cause,
  });
}
