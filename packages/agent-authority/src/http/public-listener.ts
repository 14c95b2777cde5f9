import { registerAgentOperation } from "./agent-routes.js";
import { assertionWhoamiOperation } from "./assertion-whoami-routes.js";
import type { AuthorityContext } from "./authority-context.js";
import { mintBiscuitOperation } from "./biscuit-routes.js";
import { commonOperations } from "./common-operations.js";
import { lookUpOperation } from "./directory-routes.js";
import { introspectOperation } from "./introspection-routes.js";
import { revokeAgentOperation, rotateKeyOperation } from "./key-routes.js";
import { keySetOperations } from "./key-set-routes.js";
import type { Listener } from "./listener.js";
import { createDocument } from "./openapi/create-document.js";
import { PUBLIC_SCHEMAS } from "./openapi/public-schemas.js";
import { AGENT_PARAMETER, BACKEND_PREFIX } from "./registration-target.js";
import { registerTaskOperation } from "./task-routes.js";
import { refreshTokenOperation } from "./token-refresh-routes.js";
import { whoamiOperation } from "./whoami-routes.js";

/**
 * What clients and resource servers call, under the root and under `/backend-api`.
 *
 * @param isOnLoopback - whether it is described to callers on this machine's loopback, who may be let into the directory without a token
 */
export function publicListener(
  context: Pick<AuthorityContext, "generations" | "publicUrl">,
  isOnLoopback = true,
): Listener {
  const { generations, publicUrl } = context;
  const isDirectoryOpen = isOnLoopback && publicUrl === undefined;
  return {
    title: "Countersign authority",
    description:
      "Registers agents and their tasks, and answers for them to resource servers. Unknown members of requests and answers are to be ignored. Every refusal is application/problem+json with a code.",
    servers: serversOf(publicUrl),
    prefixes: ["", BACKEND_PREFIX],
    schemas: PUBLIC_SCHEMAS,
    operations: {
      ...(generations.has("A") ? { mintBiscuit: mintBiscuitOperation } : {}),
      ...(generations.has("B") ? keySetOperations : {}),
      registerAgent: registerAgentOperation(generations),
      registerTask: registerTaskOperation(generations),
      rotateKey: rotateKeyOperation,
      revokeAgent: revokeAgentOperation,
      getAgent: lookUpOperation(
        isDirectoryOpen,
        `/v1/agent/${AGENT_PARAMETER}`,
        "Looks an agent up.",
      ),
      getTask: lookUpOperation(
        isDirectoryOpen,
        `/v1/agent/${AGENT_PARAMETER}/task/{task_id}`,
        "Looks an agent and one of its tasks up; a task that is unknown or another agent's is null.",
      ),
      introspectAssertion: introspectOperation,
      assertionWhoami: assertionWhoamiOperation,
      whoami: whoamiOperation,
      refreshToken: refreshTokenOperation,
      ...commonOperations((isNear) => createDocument(publicListener(context, isNear))),
    },
  };
}

function serversOf(publicUrl: string | undefined): readonly string[] {
  if (publicUrl === undefined) return ["/", BACKEND_PREFIX];
  return publicUrl.endsWith(BACKEND_PREFIX) ? [publicUrl] : [publicUrl, publicUrl + BACKEND_PREFIX];
}
