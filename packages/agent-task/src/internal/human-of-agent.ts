import type { AgentIdentity, AgentIdentityManager, HumanAuth } from "@countersign/agent-identity";
import { isSameSigner } from "./is-same-agent.js";

/** The human whom an agent works for, as long as it is at work; and the token that was taken for it last. */
export class HumanOfAgent {
  readonly #identities: AgentIdentityManager;
  readonly #identity: AgentIdentity;
  /** The token that a registration was last made with. Secret. */
  used: string | undefined;

  constructor(identities: AgentIdentityManager, identity: AgentIdentity) {
    this.#identities = identities;
    this.#identity = identity;
  }

  /** The human of this moment; `undefined`: the agent came with its key; `switched`: the agent is at work no more. */
  async now(): Promise<HumanAuth | undefined | "switched"> {
    const auth = await this.#identities.auth();
    const { accountId, userId } = this.#identity;
    if (auth?.kind === "agent") {
      return isSameSigner(auth.identity, this.#identity) ? undefined : "switched";
    }
    return auth?.accountId === accountId && auth.userId === userId ? auth : "switched";
  }

  /** The human to prove a registration by: only where the login says that it is proven by a biscuit. */
  async current(): Promise<HumanAuth | undefined | "switched"> {
    const human = await this.now();
    if (human === "switched" || human?.proof !== "biscuit") {
      return human === "switched" ? human : undefined;
    }
    this.used = human.accessToken;
    return human;
  }
}
