import { createHash } from "node:crypto";
import { createDirectoryRecord } from "@countersign/agent-assertion";
import { createProblem } from "@countersign/agent-key/problem";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { findAgentRecord, findTaskRecord } from "../database-directory.js";
import { authenticate } from "../registry/authenticate.js";
import { type Instant, instantOf } from "../registry/times.js";
import type { AuthorityContext } from "./authority-context.js";
import { isLoopbackRequest } from "./loopback-request.js";
import { type HeaderLines, readBearerToken, readHeaderLines } from "./read-headers.js";
import { noteHuman } from "./refusal-record.js";

// A resource server may answer from its cache for this long, so it is the delay with which it sees a revocation (security.md).
const CACHE_CONTROL = "private, max-age=15";

interface DirectoryParams {
  readonly agentRuntimeId: string;
  readonly taskId?: string;
}

/** Serves the directory for resource servers (protocol §5.8). */
export function addDirectoryRoutes(app: FastifyInstance, context: AuthorityContext): void {
  const answer = async (
    request: FastifyRequest<{ Params: DirectoryParams }>,
    reply: FastifyReply,
  ) => {
    const instant = instantOf(context.now);
    const headers = readHeaderLines(request.raw);
    await checkReader(context, request, headers, instant);
    const { agentRuntimeId, taskId } = request.params;
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
  };
  const config = { audited: "directory", addressLimit: "refused_requests" } as const;
  app.get("/v1/agent/:agentRuntimeId", { config }, answer);
  app.get("/v1/agent/:agentRuntimeId/task/:taskId", { config }, answer);
}

// A token that is sent is checked everywhere: a wrong one is not to work by chance because the caller is near.
async function checkReader(
  context: AuthorityContext,
  request: FastifyRequest,
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
