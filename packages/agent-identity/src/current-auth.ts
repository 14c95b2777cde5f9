import { AgentIdentityError } from "./agent-identity-error.js";
import type { AgentIdentityManagerOptions } from "./agent-identity-manager-options.js";
import type { Auth, HumanAuth } from "./auth.js";
import { AuthorityError } from "./authority-error.js";
import { type IdentityOwner, isSameOwner, toIdentityOwner } from "./identity-owner.js";

/** What a manager asks of its auth source. Each call asks the source again. */
export class CurrentAuth {
  readonly #authority: string;
  readonly #options: Pick<AgentIdentityManagerOptions, "auth" | "features">;

  constructor(authority: string, options: Pick<AgentIdentityManagerOptions, "auth" | "features">) {
    this.#authority = authority;
    this.#options = options;
  }

  /** Whether the feature is on now. */
  get enabled(): boolean {
    const { features } = this.#options;
    return features === undefined || features.isEnabled("use_agent_identity");
  }

  /** The current auth. With the feature off: as far as it is known without a request. */
  async current(): Promise<Auth | undefined> {
    return this.enabled ? await this.#options.auth.current() : await this.peek();
  }

  /** The current human auth. Rejects with `cancelled` if it is no longer the owner's. */
  async humanOf(owner: IdentityOwner): Promise<HumanAuth> {
    const auth = await this.current();
    if (auth?.kind === "human" && isSameOwner(toIdentityOwner(this.#authority, auth), owner)) {
      return auth;
    }
    throw new AgentIdentityError("cancelled", "the login changed while its agent was registered");
  }

  /** Whether the current login is the owner's. */
  async isCurrent(owner: IdentityOwner): Promise<boolean> {
    const auth = await this.current();
    return auth?.kind === "human" && isSameOwner(toIdentityOwner(this.#authority, auth), owner);
  }

  /** Whether a failure came because the login changed: to another login, or to a newer token of the same login. */
  async isOvertaken(owner: IdentityOwner, token: string, error: unknown): Promise<boolean> {
    const auth = await this.current();
    if (auth?.kind !== "human" || !isSameOwner(toIdentityOwner(this.#authority, auth), owner)) {
      return true;
    }
    // The login was switched away and back while its agent was registered.
    if (AgentIdentityError.is(error) && error.code === "cancelled") return true;
    return (
      AuthorityError.is(error) && error.code === "unauthenticated" && auth.accessToken !== token
    );
  }

  /** The current auth, as far as it is known without a request. */
  async peek(): Promise<Auth | undefined> {
    const { auth } = this.#options;
    return await (auth.peek === undefined ? auth.current() : auth.peek());
  }

  /** The owner that the current login names, as far as it is known without a request. */
  async owner(): Promise<IdentityOwner | undefined> {
    const auth = await this.peek();
    return auth?.kind === "human" ? toIdentityOwner(this.#authority, auth) : undefined;
  }
}
