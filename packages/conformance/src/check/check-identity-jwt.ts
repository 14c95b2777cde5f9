import { pinnedKeySet, verifyIdentityJwt } from "@countersign/agent-identity/identity-jwt";
import { parseTimestamp } from "@countersign/agent-key";
import type { IdentityJwtFile } from "../schema/identity-jwt-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

const AUTHORITY = "https://authority.example";

/**
 * The checks of a file of form `countersign.identity-jwt/1`.
 *
 * @throws {CountersignError} if the file's clock or key set is not valid
 */
export function checkIdentityJwt(file: IdentityJwtFile): readonly VectorCheck[] {
  const now = parseTimestamp(file.now);
  const { issuer, audience } = file;
  const options = {
    keySet: pinnedKeySet(file.key_set),
    authority: AUTHORITY,
    issuer,
    audience,
    now: () => now,
  };
  const read = async ({
    token,
    key_set,
  }: {
    readonly token: string;
    readonly key_set?: unknown;
  }) => {
    const keySet = key_set === undefined ? options.keySet : pinnedKeySet(key_set);
    const { identity } = await verifyIdentityJwt(token, { ...options, keySet });
    return outcome({
      agent_runtime_id: identity.agentRuntimeId,
      account_id: identity.accountId,
      user_id: identity.userId,
      ssh_public_key: identity.key.publicKey.line,
    });
  };
  return [
    ...file.accept.map((vector, index) => ({
      name: nameOf("accept", index, vector),
      expected: outcome({
        agent_runtime_id: vector.agent_runtime_id,
        account_id: vector.account_id,
        user_id: vector.user_id,
        ssh_public_key: vector.ssh_public_key,
      }),
      run: () => read(vector),
    })),
    ...file.reject.map((vector, index) => ({
      name: nameOf("reject", index, vector),
      expected: vector.code,
      run: () => read(vector),
    })),
  ];
}
