import type { FastifyInstance, FastifyRequest } from "fastify";
import { RateLimited } from "../limits/quota.js";
import { Refusal } from "../registry/refusal.js";
import type { AuthorityContext } from "./authority-context.js";
import { checkAddress, checkRefusal, countedHeaders, countRefusal } from "./count-request.js";
import { logTrouble } from "./log-trouble.js";
import { isAudited, noteHuman, recordRefusal } from "./refusal-record.js";
import { toProblem } from "./to-problem.js";

/**
 * Refuses a request whose address has used up its limit before anything else is looked at, where its route says so, and adds the quotas to
 * answers. A request of another route that fails is counted, and then refused for its number.
 */
export function addRateLimitHooks(app: FastifyInstance, context: AuthorityContext): void {
  app.addHook("onRequest", async (request) => {
    const { addressLimit } = request.routeOptions.config;
    if (addressLimit === "all_requests") checkAddress(context, request.raw);
  });
  app.addHook("onSend", async ({ raw }, reply) => {
    if (!reply.hasHeader("ratelimit")) reply.headers(countedHeaders(raw));
  });
}

/**
 * Records a request that is refused with this error in the audit log, counts it, and gives what it is to be refused with.
 *
 * What is wrong in form alone, where no audit log asks, is neither: it is cheap, and says nothing that a guess is after.
 */
export async function settleRefusal(
  context: AuthorityContext,
  request: FastifyRequest,
  error: unknown,
): Promise<unknown> {
  const { code } = toProblem(error);
  // A refusal of ours is not its sender's.
  if (code === "server_error") return error;
  if (error instanceof RateLimited) return settleLimit(context, request, error);
  if (code === "invalid_request" && !isAudited(request)) return error;
  if (error instanceof Refusal && error.principal) noteHuman(request, error.principal);
  try {
    checkRefusal(context, request.raw);
    await context.store.transaction(async (rows) => {
      await recordRefusal(rows, context, request, code);
      await countRefusal(rows, context, request.raw);
    });
    return error;
  } catch (failure) {
    if (failure instanceof RateLimited) return settleLimit(context, request, failure);
    // A refusal that could not be counted is not sent: otherwise a database that cannot be written would allow guesses without a limit.
    return failure;
  }
}

// Recorded once for each limit and window, so that a client beyond its limit cannot fill the audit log.
async function settleLimit(
  context: AuthorityContext,
  request: FastifyRequest,
  error: RateLimited,
): Promise<unknown> {
  if (!error.isFirst) return error;
  try {
    await context.store.transaction((rows) => recordRefusal(rows, context, request, error.code));
  } catch (failure) {
    // The client learns only about the limit, also if the database fails.
    logTrouble(context.logger, failure, request.id, true);
  }
  return error;
}
