import type { AuthorityContext } from "./authority-context.js";
import type { Listener } from "./listener.js";
import { createDocument } from "./openapi/create-document.js";
import { PUBLIC_SCHEMAS } from "./openapi/public-schemas.js";
import { revokeAgentOperation, rotateKeyOperation } from "./operations/agent-keys.js";
import { registerAgentOperation } from "./operations/agent-registration.js";
import { assertionWhoamiOperation } from "./operations/assertion-whoami.js";
import { mintBiscuitOperation } from "./operations/biscuit.js";
import { commonOperations } from "./operations/common-operations.js";
import { lookUpOperation } from "./operations/directory.js";
import { introspectOperation } from "./operations/introspection.js";
import { keySetOperations } from "./operations/key-set.js";
import { registerTaskOperation } from "./operations/task-registration.js";
import { refreshTokenOperation } from "./operations/token-refresh.js";
import { whoamiOperation } from "./operations/whoami.js";
import { AGENT_PARAMETER, BACKEND_PREFIX } from "./registration-target.js";

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
