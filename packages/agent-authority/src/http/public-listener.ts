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
import { endAgentOperation, endTaskOperation } from "./operations/own-ends.js";
import { registerTaskOperation } from "./operations/task-registration.js";
import { refreshTokenOperation } from "./operations/token-refresh.js";
import { reportUsesOperation } from "./operations/use-report.js";
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
      "Registers agents and their tasks, and answers verifiers about them. The protocol is docs/protocol.md. Unknown members of requests and answers are ignored. Each refusal is application/problem+json with a code of protocol §9.",
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
      endAgent: endAgentOperation,
      endTask: endTaskOperation,
      getAgent: lookUpOperation(isDirectoryOpen, `/v1/agent/${AGENT_PARAMETER}`, {
        summary: "Looks an agent up, for verifiers.",
        description: "The answer may be kept for 15 seconds (protocol §5.8).",
      }),
      getTask: lookUpOperation(isDirectoryOpen, `/v1/agent/${AGENT_PARAMETER}/task/{task_id}`, {
        summary: "Looks an agent and one of its tasks up, for verifiers.",
        description:
          "A task that is unknown or another agent's is `null`. The answer may be kept for 15 seconds (protocol §5.8). The question counts as a use of the task.",
      }),
      introspectAssertion: introspectOperation,
      reportUses: reportUsesOperation(isDirectoryOpen),
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
