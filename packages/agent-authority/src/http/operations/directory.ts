import { createHash } from "node:crypto";
import { createDirectoryRecord } from "@countersign/agent-assertion";
import { createProblem } from "@countersign/agent-key/problem";
import type { FastifyReply } from "fastify";
import * as z from "zod";
import { findAgentRecord, findTaskRecord } from "../../database-directory.js";
import { isWithin } from "../../registry/account-scope.js";
import { instantOf } from "../../registry/times.js";
import type { AuthorityContext } from "../authority-context.js";
import { checkReader } from "../check-reader.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { type HeaderLines, readHeaderLines } from "../read-headers.js";
import type { ServedOperation, ServedRequest } from "../served-operation.js";

// A resource server may answer from its cache for this long, so it is the delay with which it sees a revocation (security.md).
const CACHE_CONTROL = "private, max-age=15";

// By which a resource server learns in time that it needs another token (D-9).
const TOKEN_END = "x-token-expires-at";

const tokenEnd = z.object({
  [TOKEN_END]: z
    .string()
    .exactOptional()
    .describe("When the token of the request ends. Absent if it came without one."),
});

const cached = tokenEnd.extend({
  etag: z.string().describe("The version of the answer, for `If-None-Match` of the next request."),
  vary: z.string().describe("The answer depends on these fields of the request."),
});

/**
 * The directory for resource servers (protocol §5.8).
 *
 * @param isOpen - whether it may be asked without a token, by callers on this machine's loopback
 */
export function lookUpOperation(
  isOpen: boolean,
  path: string,
  texts: Pick<ServedOperation, "summary" | "description">,
): ServedOperation {
  return {
    method: "get",
    path,
    ...texts,
    credentials: ["resource_server"],
    isOpen,
    headers: z.object({
      "if-none-match": z
        .string()
        .exactOptional()
        .describe("The `ETag` of an earlier answer. If it is still right, the answer is 304."),
    }),
    answer: {
      description: "The keys and states that a verifier needs.",
      schema: PUBLIC_SCHEMAS.DirectoryRecord,
      headers: cached,
      isConditional: true,
    },
    refusals: [{ code: "unknown_agent", status: 404, headers: tokenEnd }, "forbidden"],
    audited: "directory",
    addressLimit: "refused_requests",
    serve: (context) => (request, reply) => lookUp(context, request, reply),
  };
}

async function lookUp(context: AuthorityContext, request: ServedRequest, reply: FastifyReply) {
  const instant = instantOf(context.now);
  const headers = readHeaderLines(request.raw);
  const reader = await checkReader(context, request, instant);
  if (reader !== undefined) reply.header(TOKEN_END, reader.expiresAt);
  const { agentRuntimeId = "", taskId } = request.params;
  const { rows } = context.store;
  const agent = await findAgentRecord(rows, agentRuntimeId, instant);
  if (agent === undefined || !isWithin(reader?.rights.accounts, agent.accountId)) {
    const { status, headers, body } = createProblem("unknown_agent", "no such agent", {
      status: 404,
    });
    return reply.code(status).headers(headers).send(body);
  }
  const task =
    taskId === undefined
      ? undefined
      : await findTaskRecord(context.store, agentRuntimeId, taskId, instant);
  const body = JSON.stringify(createDirectoryRecord(agent, task));
  const etag = `"${createHash("sha256").update(body).digest("base64url")}"`;
  reply.headers({ etag, "cache-control": CACHE_CONTROL, vary: "authorization" });
  if (isMatched(headers, etag)) return reply.code(304).send();
  return reply.type("application/json").send(body);
}

// RFC 9110 §13.1.2: compared weakly; "*" stands for any.
function isMatched(headers: HeaderLines, etag: string): boolean {
  const candidates = (headers["if-none-match"] ?? []).flatMap((line) => line.split(","));
  return candidates.some((candidate) => {
    const tag = candidate.trim();
    return tag === "*" || tag === etag || tag === `W/${etag}`;
  });
}
