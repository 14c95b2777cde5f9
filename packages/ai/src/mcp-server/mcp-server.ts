import type { IncomingMessage, ServerResponse } from "node:http";
import { REVOCATION_DELAY_SECONDS, type VerifiedAssertion } from "@countersign/agent-assertion";
import { agentAssertion, agentOf as senderOf } from "@countersign/agent-assertion/express";
import { withAgent } from "@countersign/agent-assertion/handler";
import type { Problem } from "@countersign/agent-key/problem";
import type { McpAuthInfo } from "./auth-info.js";
import { answerFetch, answerNode } from "./connection.js";
import { endableStream } from "./endable-stream.js";
import { McpCall } from "./mcp-call.js";
import { checkMcpServerOptions, type McpServerOptions } from "./mcp-server-options.js";
import { callerEnded, noSession, notServed, problemResponse, sendProblem } from "./refusals.js";
import { SessionTable } from "./session-table.js";
import { removeCredential, withoutCredential } from "./without-credential.js";

const DEFAULT_MAX_SESSIONS = 1000;
const DEFAULT_IDLE_SECONDS = 1800;
const SESSION_FIELD = "mcp-session-id";

/** An MCP server's endpoint for agents. */
export interface McpEndpoint {
  /** Serves Next.js, `Deno.serve`, `Bun.serve`, Workers, and Hono with `c.req.raw`. */
  readonly fetch: (request: Request, ...rest: readonly unknown[]) => Promise<Response>;
  /**
   * Serves Node's `http` and Express: `app.all("/mcp", endpoint.node)`. A body that a parser read before is taken from `request.body`, or from the third
   * argument.
   */
  readonly node: (
    request: IncomingMessage,
    response: ServerResponse,
    parsedBody?: unknown,
  ) => Promise<void>;
  /** Ends all sessions. */
  readonly close: () => void;
}

/**
 * Makes the endpoint of an MCP server for agents: verifies each request, also of a session, gives the SDK who sent it as `AuthInfo`, and keeps
 * `mcp-session-id` to the agent and account that opened the session.
 *
 * Another agent's session, one that ended and one that never was are answered alike: 404 `invalid_request`, after which a client starts a new one. The
 * agent's own tasks share its sessions; `authInfo` names the task of the request. A session ends by DELETE, by its transport, by `maxSessions`, by
 * `sessionIdleSeconds`, and with its agent if a request is open. An open request ends with its task or agent, and if the directory cannot answer.
 *
 * Tools see a request without the fields that proved its caller. `Host` and `Origin` are not looked at.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the option, if one is missing, wrong or unknown
 * @see protocol.md §8; docs/mcp.md
 */
export function mcpServer(options: McpServerOptions): McpEndpoint {
  checkMcpServerOptions(options);
  const { verifier, connect, onError, onRefused, now = Date.now } = options;
  const { recheckMs = REVOCATION_DELAY_SECONDS.default * 1000 } = options;
  const { maxSessions = DEFAULT_MAX_SESSIONS, sessionIdleSeconds = DEFAULT_IDLE_SECONDS } = options;
  const sessions = new SessionTable({ maxSessions, idleMs: sessionIdleSeconds * 1000, now });
  const admit = agentAssertion(options);

  const begin = (agent: VerifiedAssertion, id: string | undefined) =>
    McpCall.begin({ id, agent, sessions, verifier, connect, recheckMs });
  const report = (error: unknown, request: IncomingMessage | Request): void => {
    if (onError === undefined) warn(error);
    else guarded(() => onError(error, request));
  };
  const refuseSession = (agent: VerifiedAssertion, request: IncomingMessage | Request): Problem => {
    const { agentRuntimeId, taskId, accountId, userId } = agent;
    const proven = { agentRuntimeId, taskId, accountId, userId };
    guarded(() => onRefused?.({ code: "invalid_request", claimed: proven, proven }, request));
    return noSession();
  };

  async function serveNode(
    request: IncomingMessage & { auth?: McpAuthInfo },
    response: ServerResponse,
    parsedBody: unknown,
  ): Promise<void> {
    const agent = senderOf(request);
    removeCredential(request);
    const id = request.headers[SESSION_FIELD];
    const call = begin(agent, Array.isArray(id) ? id.join() : id);
    if (call === undefined) return sendProblem(response, refuseSession(agent, request));
    request.auth = call.authInfo;
    call.onCallerEnded((error) => sendProblem(response, callerEnded(error)));
    response.once("close", () => call.end());
    if (response.destroyed) call.end();
    try {
      await answerNode(await call.connection(), request, response, parsedBody);
      call.checkSession();
    } catch (error) {
      // A response that was ended here takes nothing more from the transport.
      if (!call.isOver) throw error;
    }
  }

  async function answerOf(call: McpCall, request: Request): Promise<Response> {
    const plain = withoutCredential(request);
    const answer = await answerFetch(await call.connection(), plain, call.authInfo);
    call.checkSession();
    // It comes too late to be read.
    if (call.isOver) await answer.body?.cancel();
    return answer;
  }

  async function serveFetch(request: Request, agent: VerifiedAssertion): Promise<Response> {
    const call = begin(agent, request.headers.get(SESSION_FIELD) ?? undefined);
    if (call === undefined) return problemResponse(refuseSession(agent, request), now());
    request.signal.addEventListener("abort", () => call.end(), { once: true });
    if (request.signal.aborted) call.end();
    const ended = Promise.withResolvers<Response>();
    call.onCallerEnded((error) => ended.resolve(problemResponse(callerEnded(error), now())));
    try {
      const answer = await Promise.race([answerOf(call, request), ended.promise]);
      if (answer.body === null || !isStream(answer)) {
        call.end();
        return answer;
      }
      const stream = endableStream(answer.body, () => call.end());
      call.onCallerEnded((error) => stream.end(error));
      return new Response(stream.body, answer);
    } catch (error) {
      call.end();
      throw error;
    }
  }

  return {
    fetch: withAgent<readonly unknown[]>(
      verifier,
      async (request, agent) => {
        try {
          return await serveFetch(request, agent);
        } catch (error) {
          report(error, request);
          return problemResponse(notServed(), now());
        }
      },
      options,
    ),
    async node(request, response, parsedBody) {
      let isAdmitted = false;
      await admit(request, response, () => {
        isAdmitted = true;
      });
      if (!isAdmitted) return;
      try {
        await serveNode(request, response, parsedBodyOf(request, parsedBody));
      } catch (error) {
        report(error, request);
        sendProblem(response, notServed());
      }
    },
    close: () => sessions.endAll(),
  };
}

function isStream({ headers }: Response): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") === true;
}

// Express gives a handler its `next` as the third argument.
function parsedBodyOf(request: IncomingMessage, third: unknown): unknown {
  if (third !== undefined && typeof third !== "function") return third;
  return "body" in request ? request.body : undefined;
}

/** Calls a hook. Its fault is not the request's, and must not pass unseen either. */
function guarded(hook: () => void): void {
  try {
    hook();
  } catch (fault) {
    warn(fault);
  }
}

function warn(fault: unknown): void {
  process.emitWarning(fault instanceof Error ? fault : String(fault));
}
