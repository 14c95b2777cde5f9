import type { IncomingMessage } from "node:http";
import {
  AgentAssertionError,
  type AssertionHooks,
  type AssertionPolicy,
  type AssertionVerifier,
  REVOCATION_DELAY_SECONDS,
} from "@countersign/agent-assertion";
import { numberIn, type OptionShape, optionChecks } from "@countersign/agent-key";
import type { McpAuthInfo } from "./auth-info.js";
import type { McpConnection } from "./connection.js";

const { checkOptions } = optionChecks(AgentAssertionError);

/** What the transport of a server with sessions is made with. */
export interface McpSession {
  /** Gives the session its id, 122 random bits, and ties it to the agent that opens it. */
  readonly sessionIdGenerator: () => string;
}

/** Options of {@link mcpServer}. `onRefused` is also called with `invalid_request` for a session that the agent does not have. */
export interface McpServerOptions extends AssertionHooks<[request: IncomingMessage | Request]> {
  readonly verifier: AssertionVerifier;
  /**
   * Makes what answers: called for every request without a session id. With sessions: a new server, connected to a new transport that is made with
   * `session`. Without: a transport with `sessionIdGenerator: undefined`, or what `createMcpHandler` gave, for Node through `toNodeHandler`.
   */
  readonly connect: (
    session: McpSession,
    authInfo: McpAuthInfo,
  ) => McpConnection | Promise<McpConnection>;
  /** What this server allows beyond what the verifier does. Default: the same. */
  readonly policy?: AssertionPolicy | undefined;
  /** How many sessions are open at the same time. If there are more, the account with the most loses the one that was unused for longest, if possible one without an open request. 1 to 100,000. Default 1,000. */
  readonly maxSessions?: number | undefined;
  /** After how many seconds without an open request a session ends. 1 to 86,400. Default 1,800. */
  readonly sessionIdleSeconds?: number | undefined;
  /** Milliseconds from one look at the caller of an open request to the next. 1 to 30,000. Default 15,000. */
  readonly recheckMs?: number | undefined;
  /** The exact bytes of a body that was read before, as for `agentAssertion` of `@countersign/agent-assertion/express`. Node only. */
  readonly rawBody?: ((request: IncomingMessage) => Uint8Array | undefined) | undefined;
  /**
   * The client's address, by which lookups of agents that are not known yet are shared out. `rest` is what `fetch` got beside the request. Default: with
   * `node` that of the connection, or Express's `request.ip`; with `fetch` none.
   */
  clientAddress?(
    request: IncomingMessage | Request,
    ...rest: readonly unknown[]
  ): string | undefined;
  /**
   * Called if a check could not be made, or if `connect` or what it gave fails. The caller gets 503 without the reason. Default for the second: a warning
   * of the process. The request holds its assertion: log the error alone.
   */
  readonly onError?: ((error: unknown, request: IncomingMessage | Request) => void) | undefined;
  /** The clock, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

const LONGEST_IDLE_SECONDS = 86_400;

const LISTENER: OptionShape = { type: "function", expected: "a function", optional: true };
const SHAPES: Readonly<Record<keyof McpServerOptions, OptionShape>> = {
  verifier: {
    type: "object",
    members: { verify: "function", recheck: "function" },
    expected: "an AssertionVerifier, for instance createVerifier({ directory })",
  },
  connect: { type: "function", expected: "a function that gives a connected transport" },
  policy: { type: "object", expected: "an AssertionPolicy", optional: true },
  clientAddress: LISTENER,
  onError: LISTENER,
  onVerified: LISTENER,
  onRefused: LISTENER,
  rawBody: LISTENER,
  maxSessions: numberIn(1, 100_000),
  sessionIdleSeconds: numberIn(1, LONGEST_IDLE_SECONDS),
  recheckMs: numberIn(1, REVOCATION_DELAY_SECONDS.most * 1000),
  now: LISTENER,
};

/** Checks the options, but for those that `agentAssertion` checks as well. */
export function checkMcpServerOptions(options: McpServerOptions): void {
  checkOptions(options, SHAPES, "refuse");
}
