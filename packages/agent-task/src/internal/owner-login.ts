import type { AgentIdentity, AgentIdentityManager, HumanAuth } from "@countersign/agent-identity";
import { isSameSigner } from "./is-same-agent.js";

/** The login of the human who owns an agent, as long as that is the current login, and the token that a registration was last made with. */
export class OwnerLogin {
  readonly #identities: AgentIdentityManager;
  readonly #identity: AgentIdentity;
  /** The token that a registration was last made with. Secret. */
  used: string | undefined;

  constructor(identities: AgentIdentityManager, identity: AgentIdentity) {
    this.#identities = identities;
    this.#identity = identity;
  }

  /** Returns the current human; `undefined` if the agent came with its key; `switched` if the login is no longer this agent's. */
  async now(): Promise<HumanAuth | undefined | "switched"> {
    const auth = await this.#identities.auth();
    const { accountId, userId } = this.#identity;
    if (auth?.kind === "agent") {
      return isSameSigner(auth.identity, this.#identity) ? undefined : "switched";
    }
    return auth?.accountId === accountId && auth.userId === userId ? auth : "switched";
  }

  /** Returns the human whose biscuit proves a registration; `undefined` if the login uses no biscuit; `switched` as {@link now}. */
  async current(): Promise<HumanAuth | undefined | "switched"> {
    const human = await this.now();
    if (human === "switched" || human?.proof !== "biscuit") {
      return human === "switched" ? human : undefined;
    }
    this.used = human.accessToken;
    return human;
  }
}
