import {
  BISCUIT_HEADER,
  BISCUIT_PATH,
  parseBiscuitRequestHeaders,
} from "@countersign/agent-identity/server";
import * as z from "zod";
import { authenticateHuman } from "../../humans/authenticate-human.js";
import { claimOfSecret } from "../../limits/known-callers.js";
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
  summary: "Mints a biscuit, a human's proof for one registration.",
  description:
    "For clients of generation A (protocol §13.1). A biscuit lives 60 seconds and can be used once, for the request that `X-Original-Method` and `X-Original-Url` name.",
  credentials: ["human"],
  headers: z.object({
    "x-request-id": z
      .string()
      .regex(/^[!-~]{1,256}$/)
      .describe("The client's id of the request. Required here."),
    "x-original-method": z
      .literal("POST")
      .describe("The method of the request that the biscuit is for."),
    "x-original-url": z
      .url()
      .describe("The full URL of the agent or task registration that the biscuit is for."),
  }),
  answer: {
    description: "The biscuit is in the field `X-OpenAI-Authorization`.",
    schema: PUBLIC_SCHEMAS.Biscuit,
    headers: z.object({ [BISCUIT_HEADER]: z.string().describe("The biscuit. Secret.") }),
  },
  refusals: ["forbidden"],
  audited: "biscuit",
  countedBy: "user",
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
  const minted = await commitCounted(
    context,
    request.raw,
    userSubject(principal.accountId, principal.userId),
    (rows) => issueBiscuit(rows, principal, binding, stamp),
  );
  context.knownCallers.remember([claimOfSecret(minted.biscuit)]);
  return minted;
}
