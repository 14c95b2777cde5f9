import { hideMembers, numberIn, type OptionShape } from "@countersign/agent-key";
import type { AgentIdentity } from "./agent-identity.js";
import { checkOption, checkOptions, PROOF } from "./internal/options.js";

// The registration checks that it is a valid id.
const ID: OptionShape = { type: "string", expected: "an id, a text" };
const HUMAN: Readonly<Record<string, OptionShape>> = {
  accountId: ID,
  userId: ID,
  accessToken: { type: "text", expected: "the human's token, a text that is not empty" },
  proof: PROOF,
  ephemeralSeconds: numberIn(1, 604_800),
};
const IDENTITY: OptionShape = {
  type: "object",
  members: { agentRuntimeId: "string", key: "object" },
  expected: "an AgentIdentity",
};

/** A human's login: what proves to the authority for whom an agent is registered. */
export interface HumanAuth {
  readonly kind: "human";
  readonly accountId: string;
  readonly userId: string;
  /** Secret. Goes to the authority that issued it, and to origins that `bearerOrigins` of `@countersign/agent-task` names; to no other. */
  readonly accessToken: string;
  /** How the human is proven: the token itself (generation C), or a one-use biscuit minted with it (generation A). Default `bearer`. */
  readonly proof?: "bearer" | "biscuit" | undefined;
  /**
   * The login is for one job: its agent is registered as an ephemeral one that lives for so many seconds, or less if the authority says so.
   * Range 1 to 604,800. Default: the agent is a lasting one.
   */
  readonly ephemeralSeconds?: number | undefined;
}

/** An agent that was registered elsewhere and comes with its key. */
export interface AgentAuth {
  readonly kind: "agent";
  readonly identity: AgentIdentity;
}

/** The current login: a human, or an agent that comes with its key. */
export type Auth = HumanAuth | AgentAuth;

/** Gives the current auth, as one snapshot, and calls listeners after each change. */
export interface AuthSource {
  /** The current auth; `undefined` if there is no login. Rejects if the login cannot be read. */
  current(): Auth | undefined | Promise<Auth | undefined>;
  /**
   * The current auth, without a request. `undefined` if there is no login, or if only a request could show it. A source whose `current`
   * never sends a request needs no `peek`.
   */
  peek?(): Auth | undefined | Promise<Auth | undefined>;
  /** Calls the listener after each change until the returned function is called. */
  subscribe?(listener: () => void): () => void;
}

/** An {@link AuthSource} that the program itself sets, for instance after each login, token refresh or logout. */
export interface AuthSlot extends AuthSource {
  /** Replaces the auth as a whole and calls the listeners. `undefined`: logged out. */
  set(auth: Auth | undefined): void;
  subscribe(listener: () => void): () => void;
}

/**
 * Always gives the same auth.
 *
 * @throws {AgentKeyError} `config_invalid`, naming the member, if it is neither a human's login nor an agent with its key
 */
export function fixedAuth(auth: Auth): AuthSource {
  checkAuth(auth);
  const hidden = withoutDisplay(auth);
  return { current: () => hidden };
}

/**
 * Makes a slot that holds the current auth.
 *
 * It and its `set` throw an `AgentKeyError` with `config_invalid` for what {@link fixedAuth} refuses.
 */
export function createAuthSlot(initial?: Auth | undefined): AuthSlot {
  if (initial !== undefined) checkAuth(initial);
  let current = initial && withoutDisplay(initial);
  const listeners = new Set<() => void>();
  return {
    current: () => current,
    set(auth) {
      if (auth !== undefined) checkAuth(auth);
      current = auth && withoutDisplay(auth);
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      // One entry for each subscription, also where the same function subscribes twice.
      const entry = () => listener();
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
      };
    },
  };
}

// The program's own object may be printed by it; what is read from here is not.
function withoutDisplay(auth: Auth): Auth {
  return auth.kind === "human" ? hideMembers(auth, "accessToken") : auth;
}

function checkAuth(auth: Auth): void {
  const expected = 'an Auth, for instance { kind: "human", accountId, userId, accessToken }';
  checkOption("auth", auth, { type: "object", members: { kind: "string" }, expected });
  checkOption("kind", auth.kind, { type: "choice", choices: ["human", "agent"] });
  if (auth.kind === "human") checkOptions(auth, HUMAN);
  else checkOption("identity", auth.identity, IDENTITY);
}
