import {
  BISCUIT_HEADER,
  BISCUIT_PATH,
  parseBiscuitRequestHeaders,
} from "@countersign/agent-identity/server";
import * as z from "zod";
import { authenticateHuman } from "../../humans/authenticate-human.js";
import { userSubject } from "../../limits/limit-subject.js";
import { issueBiscuit } from "../../registry/biscuits.js";
import { Refusal } from "../../registry/refusal.js";
import type { AuthorityContext } from "../authority-context.js";
import { commitCounted } from "../count-request.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readHeaderLines } from "../read-headers.js";
import { noteHuman } from "../refusal-record.js";
import { parseRegistrationTarget } from "../registration-target.js";
import { requestStamp } from "../request-state.js";
import type { ServedOperation, ServedRequest } from "../served-operation.js";

/** Biscuits (protocol §13.1, generation A): for POST to the two registrations alone. */
export const mintBiscuitOperation: ServedOperation = {
  method: "get",
  path: BISCUIT_PATH,
  summary: "Mints a biscuit: one-use proof of a human for one registration (generation A).",
  credentials: ["human"],
  headers: z.object({
    "x-request-id": z.string().regex(/^[!-~]{1,256}$/),
    "x-original-method": z.literal("POST"),
    "x-original-url": z.url().describe("The full URL of the registration."),
  }),
  answer: {
    description: "The biscuit stands in the header.",
    schema: PUBLIC_SCHEMAS.Biscuit,
    headers: z.object({ [BISCUIT_HEADER]: z.string().describe("Secret.") }),
  },
  refusals: ["forbidden"],
  audited: "biscuit",
  addressLimit: "all_requests",
  serve: (context) => async (request, reply) => {
    const { biscuit, expiresAt } = await mint(context, request);
    reply.header(BISCUIT_HEADER, biscuit);
    return { expires_at: expiresAt };
  },
};

async function mint(context: AuthorityContext, request: ServedRequest) {
  const stamp = requestStamp(context, request);
  const { accessToken, method, url } = parseBiscuitRequestHeaders(readHeaderLines(request.raw));
  const principal = await authenticateHuman(context, accessToken, stamp);
  noteHuman(request, principal);
  if (method !== "POST") {
    throw new Refusal("invalid_request", "a biscuit is given for a POST alone");
  }
  const binding = { method, target: parseRegistrationTarget(url, context.publicUrl) };
  return commitCounted(
    context,
    request.raw,
    userSubject(principal.accountId, principal.userId),
    (rows) => issueBiscuit(rows, principal, binding, stamp),
  );
}
