import { BISCUIT_PATH, WHOAMI_PATH } from "@countersign/agent-identity";
import type { Code } from "@countersign/agent-key";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { checkAddress, countedHeaders, countRefusal } from "../limits/count-request.js";
import { RateLimited } from "../limits/quota.js";
import type { AuthorityContext } from "./authority-context.js";
import { toProblem } from "./to-problem.js";

// Refused for what was sent is cheap and says nothing that a guess is after; a refusal of ours is not its sender's.
const UNCOUNTED: ReadonlySet<Code> = new Set<Code>([
  "invalid_request",
  "server_error",
  "rate_limited",
]);
const FIRST_CHECKED_READS: readonly string[] = [BISCUIT_PATH, WHOAMI_PATH];

/**
 * Refuses who has used up the limit of its address before anything else is looked at, and tells of quotas in what is answered.
 *
 * What resource servers ask is not refused so: whoever shares their address must not be able to take their directory from them. There a
 * request that fails is counted, and then refused for its number.
 */
export function addRateLimitHooks(app: FastifyInstance, context: AuthorityContext): void {
  app.addHook("onRequest", async (request) => {
    if (isCheckedFirst(request)) checkAddress(context, request.raw);
  });
  app.addHook("onSend", async ({ raw }, reply) => {
    if (!reply.hasHeader("ratelimit")) reply.headers(countedHeaders(raw));
  });
}

/** Counts a request that is refused with this error, and gives what it is to be refused with. */
export async function countRefused(
  context: AuthorityContext,
  request: FastifyRequest,
  error: unknown,
): Promise<unknown> {
  const { store } = context;
  if (UNCOUNTED.has(toProblem(error).code)) return error;
  try {
    await store.transaction((rows) => countRefusal(rows, context, request.raw));
    return error;
  } catch (failure) {
    if (failure instanceof RateLimited) return failure;
    // Nothing is told that could not be counted: a database that cannot be written would else be an oracle without a limit.
    return failure;
  }
}

function isCheckedFirst({ method, routeOptions: { url = "" } }: FastifyRequest): boolean {
  if (method === "POST") return url.endsWith("/register") || url.includes("/key");
  return FIRST_CHECKED_READS.some((path) => url.endsWith(path));
}
