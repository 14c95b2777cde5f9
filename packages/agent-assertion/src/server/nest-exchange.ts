import type { IncomingMessage, ServerResponse } from "node:http";
import { AgentAssertionError } from "../agent-assertion-error.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import type { AgentRequest } from "./agent-middleware.js";
import { answerRefusal } from "./answer-refusal.js";
import { agentsOfFastify, type FastifyReplyLike, refuseByReply } from "./fastify-reply.js";
import { isNodeExchange } from "./node-request.js";

/** What is used of the request of Nest's platform: Express's, or Fastify's. */
export interface NestRequest {
  /** The client's address, by the platform's own setting of trusted proxies. */
  readonly ip?: string | undefined;
  /** The exact bytes of a body that was parsed, if the application was made with `rawBody: true`. */
  readonly rawBody?: Uint8Array | undefined;
}

/** What is used of Nest's `ExecutionContext`. */
export interface NestExecutionContext {
  /** `http`; another one for microservices, gateways of WebSockets and GraphQL. */
  getType(): string;
  switchToHttp(): { getRequest(): unknown; getResponse(): unknown };
}

/** An HTTP request in Nest, on whichever platform. */
export interface NestExchange<R> {
  /** The platform's request. */
  readonly request: R;
  /** Node's request. */
  readonly incoming: IncomingMessage;
  /** Who sent it, if that was found out. */
  findAgent(): VerifiedAssertion | undefined;
  keepAgent(agent: VerifiedAssertion | undefined): void;
  /** Answers it past Nest and its platform. */
  refuse(error: unknown): void;
}

/**
 * Returns the HTTP request of a context of Nest.
 *
 * @throws {AgentAssertionError} `config_invalid` if the context is not one of HTTP, or its platform is neither Express nor Fastify
 */
export function exchangeOf<R extends NestRequest>(context: NestExecutionContext): NestExchange<R> {
  const { getType, switchToHttp } = (context ?? {}) as Partial<NestExecutionContext>;
  if (typeof getType !== "function" || typeof switchToHttp !== "function") {
    throw notChecked("the guard was not called as by Nest");
  }
  const type = context.getType();
  if (type !== "http") {
    throw notChecked(`the context of a guarded handler must be http, got ${JSON.stringify(type)}`);
  }
  const http = context.switchToHttp();
  const request: unknown = http.getRequest();
  const response: unknown = http.getResponse();
  if (isNodeExchange(request, response)) {
    return ofExpress(request as R & AgentRequest, response as ServerResponse);
  }
  if (isFastify(request, response)) return ofFastify(request as R & RawRequest, response);
  throw notChecked("the platform below Nest is neither Express nor Fastify");
}

function notChecked(message: string): AgentAssertionError {
  return new AgentAssertionError("config_invalid", message, {
    hint: "guard HTTP routes of Nest 11 or 12 on Express or Fastify; for WebSockets take /ws, for GraphQL a middleware below Nest",
  });
}

/** What is used of Fastify's request. */
interface RawRequest {
  readonly raw: IncomingMessage;
}

function isFastify(request: unknown, response: unknown): response is FastifyReplyLike {
  const { raw: incoming } = (request ?? {}) as Partial<RawRequest>;
  const { raw, hijack } = (response ?? {}) as Partial<FastifyReplyLike>;
  return isNodeExchange(incoming, raw) && typeof hijack === "function";
}

function ofExpress<R extends NestRequest>(
  request: R & AgentRequest,
  response: ServerResponse,
): NestExchange<R> {
  return {
    request,
    incoming: request,
    findAgent: () => request.agent,
    keepAgent(agent) {
      request.agent = agent;
    },
    refuse: (error) => answerRefusal(response, error),
  };
}

function ofFastify<R extends NestRequest>(
  request: R & RawRequest,
  reply: FastifyReplyLike,
): NestExchange<R> {
  return {
    request,
    incoming: request.raw,
    findAgent: () => agentsOfFastify.get(request),
    keepAgent(agent) {
      if (agent !== undefined) agentsOfFastify.set(request, agent);
    },
    refuse: (error) => refuseByReply(reply, error),
  };
}
