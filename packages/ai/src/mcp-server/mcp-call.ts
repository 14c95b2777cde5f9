import {
  AgentAssertionError,
  AssertionRejected,
  type AssertionVerifier,
  type VerifiedAssertion,
} from "@countersign/agent-assertion";
import { authInfoOf, type McpAuthInfo } from "./auth-info.js";
import { isTransport, type McpConnection, type McpTransport } from "./connection.js";
import type { McpServerOptions } from "./mcp-server-options.js";
import type { Session, SessionTable } from "./session-table.js";
import { watchCaller } from "./watch-caller.js";

// With these the agent itself has ended, and not one of its tasks alone.
const ENDS_AGENT: ReadonlySet<string> = new Set([
  "unknown_agent",
  "agent_revoked",
  "agent_expired",
  "forbidden",
]);

/** What a call is begun with. */
export interface McpCallInput {
  /** The session id that the request carries. */
  readonly id: string | undefined;
  readonly agent: VerifiedAssertion;
  readonly sessions: SessionTable;
  readonly verifier: AssertionVerifier;
  readonly connect: McpServerOptions["connect"];
  readonly recheckMs: number;
}

/** One open request of a verified agent. */
export class McpCall {
  readonly authInfo: McpAuthInfo;
  readonly #input: McpCallInput;
  readonly #session: Session | undefined;
  readonly #endUse: () => void;
  readonly #endWatch: () => void;
  #onCallerEnded: (error: unknown) => void = () => {};
  #made: McpConnection | undefined;
  #openedId: string | undefined;
  #isOver = false;

  /** @returns `undefined` if the request names a session that its agent does not have */
  static begin(input: McpCallInput): McpCall | undefined {
    const { id, agent, sessions } = input;
    const session = id === undefined ? undefined : sessions.find(id, agent);
    return id !== undefined && session === undefined ? undefined : new McpCall(input, session);
  }

  private constructor(input: McpCallInput, session: Session | undefined) {
    const { agent, sessions, verifier, recheckMs } = input;
    this.#input = input;
    this.#session = session;
    this.authInfo = authInfoOf(agent);
    this.#endUse = session === undefined ? () => {} : sessions.use(session);
    this.#endWatch = watchCaller(verifier, agent, recheckMs, (error) => this.#callerEnded(error));
  }

  /** Whether the request was answered, or its client or caller is gone. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What answers the request: the session's transport, or a new connection. */
  async connection(): Promise<McpConnection> {
    if (this.#session !== undefined) return this.#session.transport;
    const sessionIdGenerator = (): string => this.#open();
    this.#made = await this.#input.connect({ sessionIdGenerator }, this.authInfo);
    if (this.#isOver) this.#closeMade();
    return this.#made;
  }

  /**
   * @throws {AgentAssertionError} `config_invalid` if the transport opened a session that is tied to no agent
   */
  checkSession(): void {
    const id = isTransportOf(this.#made)?.sessionId;
    if (id === undefined || id === this.#openedId) return;
    throw new AgentAssertionError("config_invalid", "the transport made a session id of its own", {
      hint: "make it with the session that connect is given: new StreamableHTTPServerTransport({ ...session })",
    });
  }

  /** Replaces what is called when the caller ended while the request is open. */
  onCallerEnded(listener: (error: unknown) => void): void {
    this.#onCallerEnded = listener;
  }

  /** Notes that the request was answered, or that its client is gone. May be called again. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endUse();
    this.#endWatch();
    this.#closeMade();
  }

  #open(): string {
    const transport = isTransportOf(this.#made);
    if (transport === undefined || this.#openedId !== undefined) {
      throw new AgentAssertionError(
        "config_invalid",
        "a session is opened by its transport alone",
        {
          hint: "make one new transport in each call of connect, and return it",
        },
      );
    }
    this.#openedId = crypto.randomUUID();
    this.#input.sessions.add(this.#openedId, transport, this.#input.agent);
    return this.#openedId;
  }

  #callerEnded(error: unknown): void {
    const { sessions, agent } = this.#input;
    this.#onCallerEnded(error);
    this.end();
    if (AssertionRejected.is(error) && ENDS_AGENT.has(error.code)) sessions.endOf(agent);
  }

  // A transport without a session serves one request.
  #closeMade(): void {
    if (this.#openedId !== undefined) return;
    isTransportOf(this.#made)
      ?.close()
      .catch(() => undefined);
  }
}

function isTransportOf(connection: McpConnection | undefined): McpTransport | undefined {
  return connection !== undefined && isTransport(connection) ? connection : undefined;
}
