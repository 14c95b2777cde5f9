import { signIdentityJwt } from "@countersign/agent-identity/server";
import {
  AgentKey,
  encodeBase64,
  formatTimestamp,
  fromWireNames,
  isPrincipalId,
  parseTimestamp,
} from "@countersign/agent-key";
import { toX25519PublicKey } from "@countersign/agent-task/server";
import { uuidv7 } from "uuidv7";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkRequested } from "../option-checks.js";
import type { IssueIdentityBody } from "../schema/admin-requests.js";
import type { IssuedIdentityEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { admitAgent } from "./count-live-agents.js";
import type { LiveLimitsOf } from "./live-limits.js";
import { lockPrincipal } from "./principals.js";
import { ensureSigningKey, keepSigningKey, readActiveKey } from "./signing-keys.js";
import { ASKED_TTL, type Instant } from "./times.js";

// Each one lost to a rotation.
const MAX_ATTEMPTS = 8;

/** What the operator allows agents that come with their key. */
export interface IdentityPolicy {
  /** Whether generation B is served. */
  readonly isServed: boolean;
  readonly agentTtlSeconds: number | undefined;
  readonly limitsOf: LiveLimitsOf;
}

/**
 * Makes a fresh agent and the JWT that carries its key (generation B). The key is stored nowhere: a human who loses the JWT gets another.
 *
 * The agent ends with the JWT. One transaction writes the agent, its audit event and how long the signing key is needed.
 */
export async function issueIdentity(
  store: AuthorityStore,
  body: IssueIdentityBody,
  policy: IdentityPolicy,
  stamp: AuditStamp,
): Promise<IssuedIdentityEntry> {
  const content = checkBody(body, policy);
  await ensureSigningKey(store, stamp);
  const key = AgentKey.generate();
  const subject = {
    account_id: body.account_id,
    user_id: body.user_id,
    agent_runtime_id: `agent_${uuidv7()}`,
  };
  const issuedAt = parseTimestamp(stamp.text);
  const expiresAt = issuedAt + content.ttl_seconds * 1000;
  const endsAt = formatTimestamp(expiresAt);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { kid, privateJwk } = await readActiveKey(store.rows);
    // Signed before the transaction, which is not to wait for other threads: SQLite's keeps every writer out.
    const token = await signIdentityJwt(
      { ...fromWireNames({ ...content, ...subject }), key, issuedAt, expiresAt },
      { privateKey: privateJwk, kid },
    );
    const isIssued = await store.transaction(async (rows) => {
      await checkUser(rows, body, policy, stamp);
      if (!(await keepSigningKey(rows, kid, endsAt))) return false;
      await insertAgent(rows, { subject, key, endsAt }, stamp);
      return true;
    });
    if (isIssued) {
      return { token, agent_runtime_id: subject.agent_runtime_id, kid, expires_at: endsAt };
    }
  }
  throw new AgentAuthorityError("server_error", "the signing key is rotated all the time", {
    retryable: true,
  });
}

function checkBody(body: IssueIdentityBody, policy: IdentityPolicy): IssueIdentityBody {
  if (!policy.isServed) {
    throw new AgentAuthorityError("config_invalid", "identity JWTs are not served here", {
      hint: 'add "B" to generations in the configuration of the authority',
    });
  }
  const { account_id, user_id, ttl_seconds } = body;
  if (!isPrincipalId(account_id)) throw invalid("accountId");
  if (!isPrincipalId(user_id)) throw invalid("userId");
  checkRequested("ttlSeconds", ttl_seconds, ASKED_TTL);
  // As for every agent, the operator's bound cuts what was asked for.
  return { ...body, ttl_seconds: Math.min(ttl_seconds, policy.agentTtlSeconds ?? ttl_seconds) };
}

async function checkUser(
  rows: Rows,
  { account_id, user_id }: IssueIdentityBody,
  policy: IdentityPolicy,
  instant: Instant,
): Promise<void> {
  const principal = { accountId: account_id, userId: user_id };
  await lockPrincipal(rows, principal, instant);
  await admitAgent(rows, principal, "lasting", policy.limitsOf(principal), instant);
}

interface NewAgent {
  readonly subject: {
    readonly account_id: string;
    readonly user_id: string;
    readonly agent_runtime_id: string;
  };
  readonly key: AgentKey;
  readonly endsAt: string;
}

async function insertAgent(
  rows: Rows,
  { subject, key, endsAt }: NewAgent,
  stamp: AuditStamp,
): Promise<void> {
  await rows
    .insertInto("agents")
    .values({
      ...subject,
      public_key: key.publicKey.line,
      x25519_public_key: encodeBase64(toX25519PublicKey(key.publicKey)),
      capabilities: "[]",
      abom: "{}",
      state: "active",
      created_at: stamp.text,
      claimed_at: stamp.text,
      // Proven from the start, because the authority made the key itself.
      proven_at: stamp.text,
      expires_at: endsAt,
      revoked_at: null,
      generation: "B",
    })
    .execute();
  await appendAuditEvent(rows, stamp, "identity_issued", subject);
}

function invalid(name: string): AgentAuthorityError {
  return new AgentAuthorityError("invalid_request", `${name} is not allowed`, {
    hint: "ids are 1 to 256 printable ASCII characters without space, quote, comma and backslash; a ttl is in whole seconds",
  });
}
