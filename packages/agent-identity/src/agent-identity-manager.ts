import { AgentKeyError, parseAuthority } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import {
  type AgentIdentityManagerOptions,
  type EnsureIdentityOptions,
  MANAGER_OPTIONS,
  type RotateIdentityOptions,
} from "./agent-identity-manager-options.js";
import type { AgentKeyRotation } from "./agent-key-rotation.js";
import { AgentRegistrar, type CurrentHuman } from "./agent-registrar.js";
import type { Auth } from "./auth.js";
import { AuthOfNow } from "./auth-of-now.js";
import { type Binding, bindingKey, isSameBinding, toBinding } from "./binding.js";
import { AuthorityClient } from "./client/authority-client.js";
import { forgetIdentity } from "./forget-identity.js";
import { type IdentityLook, IdentityLooks, NOBODY, ownIdentity } from "./identity-look.js";
import { checkOptions } from "./internal/options.js";
import { SharedFlights } from "./internal/shared-flights.js";
import { KeyRotator } from "./key-rotator.js";
import { KnownIdentities } from "./known-identities.js";

// Auth that changes with every look at it is a fault of its source, not a switch to wait for.
const MAX_AUTH_CHANGES = 8;

/**
 * Gives the agent identity of whoever is logged in, registering it once for each (authority, account, user) however many callers and
 * processes ask at the same time.
 *
 * - A key is in the store before the authority hears of it; a registration that was cut off goes on with the same key.
 * - An identity is only ever given for the account and user it was made for, checked again after every registration: a logout or switch
 *   in the meantime wins. Identities of others stay stored.
 * - A store that cannot be read is an error, never "no identity".
 *
 * @see architecture.md, agent-identity; protocol.md §4, §5.4, §10
 */
export class AgentIdentityManager {
  /** Normalised base URL. */
  readonly authority: string;
  readonly client: AuthorityClient;
  readonly #options: AgentIdentityManagerOptions;
  readonly #registrar: AgentRegistrar;
  readonly #rotator: KeyRotator;
  readonly #auth: AuthOfNow;
  readonly #looks: IdentityLooks;
  readonly #flights = new SharedFlights<AgentIdentity>(cancelled);
  readonly #closing = new AbortController();
  #unsubscribe: (() => void) | undefined;

  /** @throws {AgentKeyError} `config_invalid`, naming the option, if one is missing or wrong; if `client` is for another authority */
  constructor(options: AgentIdentityManagerOptions) {
    checkOptions(options, MANAGER_OPTIONS);
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
      });
    if (this.client.authority !== this.authority) {
      throw new AgentKeyError("config_invalid", "the client is for another authority", {
        hint: `make it for ${this.authority}`,
      });
    }
    this.#options = options;
    this.#auth = new AuthOfNow(this.authority, options);
    const { store, abom, capabilities = [], ttlSeconds, deadlineMs, now = Date.now } = options;
    const known = new KnownIdentities(store);
    this.#looks = new IdentityLooks({
      authority: this.authority,
      auth: options.auth,
      store,
      known,
    });
    const common = { client: this.client, store, deadlineMs, now, known };
    this.#registrar = new AgentRegistrar({ ...common, abom, capabilities, ttlSeconds });
    this.#rotator = new KeyRotator({ ...common, abortError: cancelled });
  }

  /** Whether the feature `use_agent_identity` is on now. */
  get enabled(): boolean {
    return this.#auth.enabled;
  }

  /**
   * The auth of now, as its source answers. Also with the feature off: the human's own token is then what requests carry; an agent that
   * came with its key is then not asked for at the price of a request.
   */
  async auth(): Promise<Auth | undefined> {
    return await this.#auth.current();
  }

  /**
   * Gives the identity for the auth of now, registering it if need be.
   *
   * @returns `undefined`: the feature is off, or nobody is logged in
   * @throws {AuthorityError} when the authority refuses or cannot be reached; the next call tries again with the same key
   * @throws {AgentIdentityError} `bad_response`, `invalid_request`, `config_invalid`, `no_identity`, `not_logged_in`, `cancelled` by `close`
   * @throws {StoreError} `store_corrupt`, `store_denied`, `store_locked`
   * @throws the reason of `signal`, once the caller ended the call
   */
  async ensure(options: EnsureIdentityOptions = {}): Promise<AgentIdentity | undefined> {
    return await this.#withCurrent(options, async (binding, human, signal) => {
      const found = await this.#registrar.find(binding);
      if (found !== undefined) return found;
      return await this.#flights.join(
        bindingKey(binding),
        (alone) => this.#registrar.register(binding, human, alone, options),
        signal,
      );
    });
  }

  /** Gives the stored identity for the auth of now. Never touches the network and registers nothing. Rejects as `ensure`. */
  async peek(): Promise<AgentIdentity | undefined> {
    return this.enabled ? (await this.#looks.look("peek")).identity : undefined;
  }

  /**
   * The current login with its agent, by one load of the store: of one content where the login is that store's (`loginAuth`). Registers
   * nothing. For what is asked before every request.
   *
   * @returns nothing in it while the feature is off
   * @throws as {@link AgentIdentityManager.auth} and {@link AgentIdentityManager.peek}
   */
  async look(): Promise<IdentityLook> {
    return this.enabled ? await this.#looks.look("current") : NOBODY;
  }

  /**
   * Replaces an identity that the authority itself refused (never on a resource server's word alone): `unknown_agent` by a new key and
   * agent, `agent_expired` by registering the same key under the human auth of now. Compare and set: where the store has another
   * identity by now, that one is given and nothing registered. How often this is done is the caller's to limit (protocol.md §10: once).
   *
   * @returns the identity for the auth of now; `undefined`: the feature is off, or nobody is logged in
   * @throws {AgentIdentityError} the code given, when the identity came with its key and no human can renew it; else as `ensure`
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
    return await this.#withCurrent(options, async (binding, human, signal) => {
      if (!isSameBinding(binding, identity)) return await this.ensure(options);
      return await this.#flights.join(
        `${bindingKey(binding)} ${key} ${identity.registeredAt}`,
        (alone) => this.#registrar.replace(identity, code, human, alone, options),
        signal,
      );
    });
  }

  /**
   * Gives the agent of the auth of now a new key; its id, its tasks and what was granted to it stay. The key before it is valid until the new
   * one is first used at the authority, at most 24 hours. A rotation that was cut off, here or in another process, is finished with the key
   * that it had chosen. Until it is known to be done, the agent goes on with the key before.
   *
   * @returns `undefined`: the feature is off, or nobody is logged in
   * @throws {AuthorityError} when the authority refuses or cannot be reached
   * @throws {AgentIdentityError} `no_identity` without an agent; `not_logged_in` where the agent came with its key; `bad_response`, `cancelled`
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
    const binding = toBinding(this.authority, auth);
    return await this.#rotator.rotate(
      binding,
      () => this.#auth.humanOf(binding),
      options.compromised ?? false,
      this.#signalOf(options),
      options,
    );
  }

  /**
   * Finds out why the authority or a resource server does not take an agent's signature (`bad_signature`): finishes a rotation that was cut
   * off, or gives the identity that another process has rotated or registered meanwhile.
   *
   * @returns `undefined`: neither of them, the feature is off, or no human is logged in
   * @throws {AuthorityError} {@link AgentIdentityError} {@link StoreError} as `rotate`
   */
  async finishRotation(
    identity: AgentIdentity,
    options: EnsureIdentityOptions = {},
  ): Promise<AgentIdentity | undefined> {
    const auth = this.enabled ? await this.#auth.current() : undefined;
    if (auth?.kind !== "human") return undefined;
    const binding = toBinding(this.authority, auth);
    if (!isSameBinding(binding, identity)) return await this.ensure(options);
    const human = () => this.#auth.humanOf(binding);
    return await this.#rotator.finish(identity, human, this.#signalOf(options), options);
  }

  /**
   * Removes an identity from the store, also one that cannot be read there. The authority is not told: the agent stays registered
   * until it is revoked. Works with the feature off.
   *
   * @param identity - removed only while it is the stored one. Default: whatever is stored for the auth of now
   * @returns whether there was one
   * @throws {StoreError} as the store
   */
  async forget(identity?: AgentIdentity): Promise<boolean> {
    const binding = identity ?? (await this.#auth.binding());
    if (binding === undefined) return false;
    return await forgetIdentity(this.#options.store, binding, identity);
  }

  /**
   * Follows the auth source: registers in the background now and after each change, so that the identity is there when it is needed. A
   * failure is not reported here: the next `ensure` meets it or succeeds.
   */
  start(): void {
    if (this.#unsubscribe !== undefined || this.#closing.signal.aborted) return;
    const register = () => {
      // Background work: whoever needs the identity calls `ensure` and gets the error there.
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

  /** Runs for the binding of now, again where the auth became another meanwhile, and gives only what belongs to the auth of then. */
  async #withCurrent(
    options: EnsureIdentityOptions,
    run: (
      binding: Binding,
      human: CurrentHuman,
      signal: AbortSignal,
    ) => Promise<AgentIdentity | undefined>,
  ): Promise<AgentIdentity | undefined> {
    const signal = this.#signalOf(options);
    for (let change = 0; change < MAX_AUTH_CHANGES; change += 1) {
      if (!this.enabled) return undefined;
      options.signal?.throwIfAborted();
      if (signal.aborted) throw cancelled(signal.reason);
      const auth = await this.#auth.current();
      if (auth === undefined) return undefined;
      if (auth.kind === "agent") return ownIdentity(auth.identity, this.authority);
      const binding = toBinding(this.authority, auth);
      let token = auth.accessToken;
      const human = async () => {
        const now = await this.#auth.humanOf(binding);
        token = now.accessToken;
        return now;
      };
      try {
        const identity = await run(binding, human, signal);
        if (await this.#auth.isCurrent(binding)) return identity;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (signal.aborted) throw cancelled(signal.reason);
        if (!(await this.#auth.isOvertaken(binding, token, error))) throw error;
      }
    }
    throw new AgentIdentityError("not_logged_in", "the login keeps changing", {
      retryable: true,
      hint: "try again when nobody logs in or out",
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
