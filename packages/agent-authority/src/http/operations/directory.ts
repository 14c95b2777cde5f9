import { createHash } from "node:crypto";
import { createDirectoryRecord } from "@countersign/agent-assertion";
import { createProblem } from "@countersign/agent-key/problem";
import type { FastifyReply } from "fastify";
import * as z from "zod";
import { findAgentRecord, findTaskRecord } from "../../database-directory.js";
import { authenticate } from "../../registry/authenticate.js";
import { type Instant, instantOf } from "../../registry/times.js";
import type { AuthorityContext } from "../authority-context.js";
import { isLoopbackRequest } from "../loopback-request.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { type HeaderLines, readBearerToken, readHeaderLines } from "../read-headers.js";
import { noteHuman } from "../refusal-record.js";
import type { ServedOperation, ServedRequest } from "../served-operation.js";

// A resource server may answer from its cache for this long, so it is the delay with which it sees a revocation (security.md).
const CACHE_CONTROL = "private, max-age=15";

const cached = z.object({ etag: z.string(), vary: z.string() });

/**
 * The directory for resource servers (protocol §5.8).
 *
 * @param isOpen - whether it may be asked without a token, by callers on this machine's loopback
 */
export function lookUpOperation(isOpen: boolean, path: string, summary: string): ServedOperation {
  return {
    method: "get",
    path,
    summary,
    credentials: ["resource_server"],
    isOpen,
    headers: z.object({ "if-none-match": z.string().exactOptional() }),
    answer: {
      description: "What a verifier needs.",
      schema: PUBLIC_SCHEMAS.DirectoryRecord,
      headers: cached,
      isConditional: true,
    },
    refusals: [{ code: "unknown_agent", status: 404 }, "forbidden"],
    audited: "directory",
    addressLimit: "refused_requests",
    serve: (context) => (request, reply) => lookUp(context, request, reply),
  };
}

async function lookUp(context: AuthorityContext, request: ServedRequest, reply: FastifyReply) {
  const instant = instantOf(context.now);
  const headers = readHeaderLines(request.raw);
  await checkReader(context, request, headers, instant);
  const { agentRuntimeId = "", taskId } = request.params;
  const { rows } = context.store;
  const agent = await findAgentRecord(rows, agentRuntimeId, instant);
  if (agent === undefined) {
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

// A token that is sent is checked everywhere: a wrong one is not to work by chance because the caller is near.
async function checkReader(
  context: AuthorityContext,
  request: ServedRequest,
  headers: HeaderLines,
  instant: Instant,
): Promise<void> {
  const isOpen =
    context.publicUrl === undefined &&
    headers.authorization === undefined &&
    isLoopbackRequest(request.raw);
  if (isOpen) return;
  const { rows } = context.store;
  noteHuman(
    request,
    await authenticate(rows, readBearerToken(headers), "resource_server", instant),
  );
}

// RFC 9110 §13.1.2: compared weakly; "*" stands for any.
function isMatched(headers: HeaderLines, etag: string): boolean {
  const candidates = (headers["if-none-match"] ?? []).flatMap((line) => line.split(","));
  return candidates.some((candidate) => {
    const tag = candidate.trim();
    return tag === "*" || tag === etag || tag === `W/${etag}`;
  });
}
