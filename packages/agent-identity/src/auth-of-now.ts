import { AgentIdentityError } from "./agent-identity-error.js";
import type { AgentIdentityManagerOptions } from "./agent-identity-manager-options.js";
import type { Auth, HumanAuth } from "./auth.js";
import { AuthorityError } from "./authority-error.js";
import { type Binding, isSameBinding, toBinding } from "./binding.js";

/** What a manager asks of its auth source, each time anew. */
export class AuthOfNow {
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

  /** The auth of now; with the feature off as far as that takes no request. */
  async current(): Promise<Auth | undefined> {
    return this.enabled ? await this.#options.auth.current() : await this.peek();
  }

  /** The human auth of now, if it still is the binding's. */
  async humanOf(binding: Binding): Promise<HumanAuth> {
    const auth = await this.current();
    if (auth?.kind === "human" && isSameBinding(toBinding(this.#authority, auth), binding)) {
      return auth;
    }
    throw new AgentIdentityError("cancelled", "the login changed while its agent was registered");
  }

  /** Whether the binding is that of the auth of now. */
  async isCurrent(binding: Binding): Promise<boolean> {
    const auth = await this.current();
    return auth?.kind === "human" && isSameBinding(toBinding(this.#authority, auth), binding);
  }

  /** Whether a failure is that of a login that is no longer the one of now: another one, or the same with a newer token. */
  async isOvertaken(binding: Binding, token: string, error: unknown): Promise<boolean> {
    const auth = await this.current();
    if (auth?.kind !== "human" || !isSameBinding(toBinding(this.#authority, auth), binding)) {
      return true;
    }
    // Switched away and back while it was registered.
    if (AgentIdentityError.is(error) && error.code === "cancelled") return true;
    return (
      AuthorityError.is(error) && error.code === "unauthenticated" && auth.accessToken !== token
    );
  }

  /** The auth of now as far as that takes no request. */
  async peek(): Promise<Auth | undefined> {
    const { auth } = this.#options;
    return await (auth.peek === undefined ? auth.current() : auth.peek());
  }

  /** The binding of the auth of now, as far as that takes no request. */
  async binding(): Promise<Binding | undefined> {
    const auth = await this.peek();
    return auth?.kind === "human" ? toBinding(this.#authority, auth) : undefined;
  }
}
