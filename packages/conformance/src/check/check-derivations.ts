import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { keySetUrl } from "@countersign/agent-identity/identity-jwt";
import { AgentKey, parseAuthority, parseScopeId } from "@countersign/agent-key";
import { createIdempotencyKey } from "@countersign/agent-task";
import type { DerivationsFile } from "../schema/derivations-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

/** The checks of a file of form `countersign.derivations/1`. */
export function checkDerivations(file: DerivationsFile): readonly VectorCheck[] {
  return [
    ...file.base_urls.map((vector, index) => ({
      name: nameOf("base_urls", index, vector, vector.value),
      expected:
        vector.normalised === null ? "config_invalid" : outcome({ normalised: vector.normalised }),
      run: () => outcome({ normalised: parseAuthority(vector.value) }),
    })),
    ...file.key_set_urls.map((vector, index) => ({
      name: nameOf("key_set_urls", index, vector, vector.base),
      expected: outcome({ url: vector.url }),
      run: () => outcome({ url: keySetUrl(vector.base) }),
    })),
    ...file.path_segments.map((vector, index) => ({
      name: nameOf("path_segments", index, vector, vector.id),
      expected: outcome({ segment: vector.segment }),
      run: () => askAbout(vector.id),
    })),
    ...file.idempotency_keys.map((vector, index) => ({
      name: nameOf("idempotency_keys", index, vector, vector.scope),
      expected:
        vector.idempotency_key === null
          ? "invalid_request"
          : outcome({ idempotency_key: vector.idempotency_key }),
      run: () => {
        const key = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
        const { authority, agent_runtime_id: agent } = vector;
        const scope = parseScopeId(vector.scope);
        return outcome({ idempotency_key: createIdempotencyKey(key, authority, agent, scope) });
      },
    })),
  ];
}

/** The id in the URL of a request about an agent. */
async function askAbout(agentRuntimeId: string): Promise<string> {
  let url = "";
  const fetch = async (input: string) => {
    url = input;
    return Response.json({ agent_runtime_id: agentRuntimeId, agent_state: "revoked" });
  };
  const authority = "https://authority.example";
  await new AuthorityClient({ authority, fetch }).revokeAgent("token", agentRuntimeId);
  return outcome({ segment: url.split("/").at(-2) ?? "" });
}
