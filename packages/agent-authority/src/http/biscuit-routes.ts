import {
  BISCUIT_HEADER,
  BISCUIT_PATH,
  parseBiscuitRequestHeaders,
} from "@countersign/agent-identity";
import type { FastifyInstance } from "fastify";
import { authenticateHuman } from "../humans/authenticate-human.js";
import { issueBiscuit } from "../registry/biscuits.js";
import { Refusal } from "../registry/refusal.js";
import type { AuthorityContext } from "./authority-context.js";
import { readHeaderLines } from "./read-headers.js";
import { parseRegistrationTarget } from "./registration-target.js";
import { requestOccasion } from "./request-origin.js";

/** Serves biscuits (protocol §4, generation A): for POST to the two registrations alone. */
export function addBiscuitRoutes(app: FastifyInstance, context: AuthorityContext): void {
  app.get(BISCUIT_PATH, async (request, reply) => {
    const occasion = requestOccasion(context, request);
    const { accessToken, method, url } = parseBiscuitRequestHeaders(readHeaderLines(request.raw));
    const principal = await authenticateHuman(context, accessToken, occasion);
    if (method !== "POST") {
      throw new Refusal("invalid_request", "a biscuit is given for a POST alone");
    }
    const binding = { method, target: parseRegistrationTarget(url, context.publicUrl) };
    const { biscuit, expiresAt } = await issueBiscuit(context.store, principal, binding, occasion);
    reply.header(BISCUIT_HEADER, biscuit);
    return { expires_at: expiresAt };
  });
}
