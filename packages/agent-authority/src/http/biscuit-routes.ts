import {
  BISCUIT_HEADER,
  BISCUIT_PATH,
  parseBiscuitRequestHeaders,
} from "@countersign/agent-identity";
import type { FastifyInstance } from "fastify";
import { authenticateHuman } from "../humans/authenticate-human.js";
import { commitCounted } from "../limits/count-request.js";
import { userSubject } from "../limits/limit-subject.js";
import { issueBiscuit } from "../registry/biscuits.js";
import { Refusal } from "../registry/refusal.js";
import type { AuthorityContext } from "./authority-context.js";
import { readHeaderLines } from "./read-headers.js";
import { noteHuman } from "./refusal-record.js";
import { parseRegistrationTarget } from "./registration-target.js";
import { requestOccasion } from "./request-origin.js";

/** Serves biscuits (protocol §13.1, generation A): for POST to the two registrations alone. */
export function addBiscuitRoutes(app: FastifyInstance, context: AuthorityContext): void {
  const config = { audited: "biscuit", addressLimit: "all_requests" } as const;
  app.get(BISCUIT_PATH, { config }, async (request, reply) => {
    const occasion = requestOccasion(context, request);
    const { accessToken, method, url } = parseBiscuitRequestHeaders(readHeaderLines(request.raw));
    const principal = await authenticateHuman(context, accessToken, occasion);
    noteHuman(request, principal);
    if (method !== "POST") {
      throw new Refusal("invalid_request", "a biscuit is given for a POST alone");
    }
    const binding = { method, target: parseRegistrationTarget(url, context.publicUrl) };
    const { biscuit, expiresAt } = await commitCounted(
      context,
      request.raw,
      userSubject(principal.accountId, principal.userId),
      (rows) => issueBiscuit(rows, principal, binding, occasion),
    );
    reply.header(BISCUIT_HEADER, biscuit);
    return { expires_at: expiresAt };
  });
}
