import {
  ASSERTION_WHOAMI_PATH,
  AssertionRejected,
  createAssertionWhoamiResponse,
  createVerifier,
} from "@countersign/agent-assertion";
import { sourceOf } from "@countersign/agent-assertion/client-address";
import type { Code } from "@countersign/agent-key";
import { CODES, codeRow } from "@countersign/agent-key/codes";
import { databaseDirectory } from "../../database-directory.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readHeaderLines, readSingleHeader } from "../read-headers.js";
import { noteAgent } from "../refusal-record.js";
import { stateOf } from "../request-state.js";
import type { ServedOperation } from "../served-operation.js";

// What a verifier gives only where a request is bound, or where its caller has rules of its own.
const OF_REQUESTS: ReadonlySet<Code> = new Set<Code>([
  "forbidden",
  "binding_required",
  "binding_mismatch",
  "replayed",
]);

/** `GET /v1/assertion/whoami`: answers an agent whether its own assertion is valid (protocol §5.10). */
export const assertionWhoamiOperation: ServedOperation = {
  method: "get",
  path: ASSERTION_WHOAMI_PATH,
  summary: "Answers an agent whether its own assertion is valid.",
  description:
    "The checks are those of a verifier (protocol §5.10, §8), without a policy and without a binding. A refusal has the code of the first check that failed.",
  credentials: ["assertion"],
  answer: { description: "The assertion is valid.", schema: PUBLIC_SCHEMAS.AssertionWhoami },
  refusals: CODES.filter((code) => codeRow(code).givenBy === "verifier" && !OF_REQUESTS.has(code)),
  audited: "whoami",
  addressLimit: "all_requests",
  serve({ store, publicUrl, now }) {
    // The answer does not name the authority.
    const verifier = createVerifier({
      directory: databaseDirectory(store, publicUrl ?? "http://127.0.0.1"),
      now,
    });
    return async (request) => {
      const field = readSingleHeader(readHeaderLines(request.raw), "authorization");
      const source = sourceOf(stateOf(request.raw).origin.address);
      try {
        return createAssertionWhoamiResponse(await verifier.verify(field, { source }));
      } catch (error) {
        const proven = AssertionRejected.is(error) ? error.proven : undefined;
        if (proven?.accountId !== undefined && proven.userId !== undefined) {
          const { agentRuntimeId, accountId, userId } = proven;
          noteAgent(request, {
            agent_runtime_id: agentRuntimeId,
            account_id: accountId,
            user_id: userId,
          });
        }
        throw error;
      }
    };
  },
};
