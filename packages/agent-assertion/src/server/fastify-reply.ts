import type { ServerResponse } from "node:http";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { answerRefusal } from "./answer-refusal.js";

/** What is used of Fastify's reply. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse;
  getHeaders(): Readonly<Record<string, number | string | readonly string[] | undefined>>;
  /** Says that Fastify is not to answer. */
  hijack(): unknown;
}

/** Who sent a request, by Fastify's request: of the plugin, and of the guard for Nest on Fastify. */
export const agentsOfFastify = new WeakMap<object, VerifiedAssertion>();

/** Answers a request past Fastify's error handlers and `onSend` hooks. Fields that were set on the reply before stay. */
export function refuseByReply(reply: FastifyReplyLike, error: unknown): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined && !reply.raw.headersSent) reply.raw.setHeader(name, value);
  }
  answerRefusal(reply.raw, error);
}
