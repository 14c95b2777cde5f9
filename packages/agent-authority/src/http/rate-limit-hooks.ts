import { BISCUIT_HEADER } from "@countersign/agent-identity/server";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { claimOfAgent, claimOfSecret } from "../limits/known-callers.js";
import { RateLimited } from "../limits/quota.js";
import { Refusal } from "../registry/refusal.js";
import type { AuthorityContext } from "./authority-context.js";
import { checkAddress, countedHeaders, countRefusal, refusalSubject } from "./count-request.js";
import { logTrouble } from "./log-trouble.js";
import { readHeaderLines } from "./read-headers.js";
import { isAudited, noteHuman, recordRefusal } from "./refusal-record.js";
import { stateOf } from "./request-state.js";
import { toProblem } from "./to-problem.js";

/**
 * Refuses a request whose address has used up its limits before anything else is looked at, where its route says so, and adds the quotas to
 * answers. A request that fails is counted, and then refused for its number.
 */
export function addRateLimitHooks(app: FastifyInstance, context: AuthorityContext): void {
  app.addHook("onRequest", async (request) => {
    const { addressLimit } = request.routeOptions.config;
    if (addressLimit !== "all_requests") return;
    stateOf(request.raw).claims = claimsOf(request);
    checkAddress(context, request.raw);
  });
  app.addHook("onSend", async ({ raw }, reply) => {
    if (!reply.hasHeader("ratelimit")) reply.headers(countedHeaders(raw));
  });
}

// The agent is claimed by its path only where its signature is the proof. Of several secrets one may hold, and nothing is known of the others
// then: such a request claims none.
function claimsOf({ raw, params, routeOptions }: FastifyRequest): readonly string[] {
  const { authorization = [], [BISCUIT_HEADER]: biscuits = [] } = readHeaderLines(raw);
  const { agentRuntimeId } = params as { readonly agentRuntimeId?: string };
  const isSigned = routeOptions.config.registers === "task" && agentRuntimeId !== undefined;
  const secrets = [...authorization, ...biscuits];
  return [
    ...(secrets.length === 1 ? secrets.map(claimOfSecret) : []),
    ...(isSigned ? [claimOfAgent(agentRuntimeId)] : []),
  ];
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
  const state = stateOf(request.raw);
  if (state.asker === undefined) context.knownCallers.fail(state.claims);
  // A user that was revoked has proved nothing that is live, so it is still counted by address.
  const subject = refusalSubject(state);
  if (error instanceof Refusal && error.principal) noteHuman(request, error.principal);
  try {
    // Without the database, so that a flood does not keep it busy.
    context.limiter.check(subject);
    await context.store.transaction(async (rows) => {
      await recordRefusal(rows, context, request, code);
      await countRefusal(rows, context, request.raw, subject);
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
