import { isServerId } from "@countersign/agent-key";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { compactVerify } from "jose/jws/compact/verify";
import { importJWK } from "jose/key/import";
import type { AuthorityStore } from "../store/authority-store.js";
import { type AuditStamp, actedBy } from "./audit-stamp.js";
import { revokeAgent } from "./operate-agents.js";
import { findVerificationKey } from "./signing-keys.js";

const ALGORITHM = "RS256";
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
// The thumbprint that names a key. Nothing else of a stranger's is to reach the database.
const KID = /^[\w-]{43}$/;

/**
 * Revokes the agent of an identity JWT that was sent as a token. Such a JWT carries the agent's private key, so a reader of the request has
 * the key (SECURITY.md).
 *
 * A JWT that has expired counts as well, and so does one that a retired key signed, because its agent may have been renewed. A token that this
 * authority did not sign revokes nothing.
 *
 * @returns whether the token was such a JWT; the caller then refuses the request
 */
export async function revokeLeakedIdentity(
  store: AuthorityStore,
  token: string,
  stamp: AuditStamp,
): Promise<boolean> {
  const kid = readKid(token);
  const jwk = kid === undefined ? undefined : await findVerificationKey(store.rows, kid);
  if (jwk === undefined) return false;
  const agentRuntimeId = await readAgent(token, jwk);
  if (agentRuntimeId === undefined) return false;
  // All that is known of who sent it: they hold the agent's key.
  await revokeAgent(
    store,
    agentRuntimeId,
    actedBy(stamp, { actor: `agent:${agentRuntimeId}` }),
    undefined,
  );
  return true;
}

function readKid(token: string): string | undefined {
  if (!JWT.test(token)) return undefined;
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return alg === ALGORITHM && typeof kid === "string" && KID.test(kid) ? kid : undefined;
  } catch {
    // Not a JWT: the check of the token refuses it.
    return undefined;
  }
}

async function readAgent(
  token: string,
  jwk: Readonly<Record<string, unknown>>,
): Promise<string | undefined> {
  try {
    const key = await importJWK({ ...jwk }, ALGORITHM);
    const { payload } = await compactVerify(token, key, { algorithms: [ALGORITHM] });
    const claims: Readonly<Record<string, unknown>> = JSON.parse(new TextDecoder().decode(payload));
    const { agent_runtime_id: id } = claims;
    return isServerId(id) ? id : undefined;
  } catch {
    // Somebody made it up. What the library says is not kept: the payload may be in it.
    return undefined;
  }
}
