import {
  ASSERTION_WHOAMI_PATH,
  AssertionRejected,
  createAssertionWhoamiResponse,
  createVerifier,
} from "@countersign/agent-assertion";
import { sourceOf } from "@countersign/agent-assertion/client-address";
import type { FastifyInstance } from "fastify";
import { databaseDirectory } from "../database-directory.js";
import type { AuthorityContext } from "./authority-context.js";
import { readHeaderLines, readSingleHeader } from "./read-headers.js";
import { noteAgent } from "./refusal-record.js";
import { originOf } from "./request-origin.js";

/** Serves `GET /v1/assertion/whoami`: tells an agent whether its own assertion holds (protocol §5.10). */
export function addAssertionWhoamiRoutes(app: FastifyInstance, context: AuthorityContext): void {
  const { store, publicUrl, now } = context;
  // The answer does not name the authority.
  const verifier = createVerifier({
    directory: databaseDirectory(store, publicUrl ?? "http://127.0.0.1"),
    now,
  });
  const config = { audited: "whoami", addressLimit: "all_requests" } as const;
  app.get(ASSERTION_WHOAMI_PATH, { config }, async (request) => {
    const field = readSingleHeader(readHeaderLines(request.raw), "authorization");
    const source = sourceOf(originOf(request.raw).address);
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
  });
}
