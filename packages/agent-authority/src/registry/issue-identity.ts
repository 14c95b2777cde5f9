import { signIdentityToken } from "@countersign/agent-identity/identity-token";
import {
  AgentKey,
  encodeBase64,
  formatTimestamp,
  hideMembers,
  isPrincipalId,
  parseTimestamp,
} from "@countersign/agent-key";
import { toX25519PublicKey } from "@countersign/agent-task/server";
import { uuidv7 } from "uuidv7";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkRequested } from "../option-checks.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import { appendAuditEvent } from "./audit.js";
import type { Occasion } from "./occasion.js";
import { lockPrincipal } from "./principals.js";
import { checkAgentLimit } from "./register-agent.js";
import type { IssuedIdentity, IssueIdentityOptions } from "./registry-types.js";
import { ensureSigningKey, keepSigningKey, readActiveKey } from "./signing-keys.js";
import { ASKED_TTL, type Instant } from "./times.js";

// Each one lost to a rotation.
const MAX_ATTEMPTS = 8;

/** What the operator allows agents that come with their key. */
export interface IdentityPolicy {
  /** Whether generation B is served. */
  readonly isServed: boolean;
  readonly agentTtlSeconds: number | undefined;
  readonly maxLiveAgents: number;
}

/**
 * Makes a fresh agent and the JWT that carries its key (generation B). The key is kept nowhere: whoever loses the JWT gets another.
 *
 * The agent ends with the JWT. It, its audit event and how long the signing key is needed are one transaction.
 */
export async function issueIdentity(
  store: AuthorityStore,
  options: IssueIdentityOptions,
  policy: IdentityPolicy,
  occasion: Occasion,
): Promise<IssuedIdentity> {
  const content = checkOptions(options, policy);
  await ensureSigningKey(store, occasion);
  const key = AgentKey.generate();
  const agentRuntimeId = `agent_${uuidv7()}`;
  const issuedAt = Math.floor(parseTimestamp(occasion.text) / 1000);
  const expiresAt = issuedAt + content.ttlSeconds;
  const endsAt = formatTimestamp(expiresAt * 1000);
  const agent = { ...options, agentRuntimeId, key, endsAt };
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { kid, privateJwk } = await readActiveKey(store.rows);
    // Signed before the transaction, which is not to wait for other threads: SQLite's keeps every writer out.
    const token = await signIdentityToken(
      { ...content, agentRuntimeId, key, issuedAt, expiresAt },
      { privateKey: privateJwk, kid },
    );
    const isIssued = await store.transaction(async (rows) => {
      await checkUser(rows, options, policy, occasion);
      if (!(await keepSigningKey(rows, kid, endsAt))) return false;
      await insertAgent(rows, agent, occasion);
      return true;
    });
    if (isIssued) {
      return hideMembers({ token, agentRuntimeId, kid, expiresAt: endsAt }, "token");
    }
  }
  throw new AgentAuthorityError("server_error", "the signing key is rotated all the time", {
    retryable: true,
  });
}

function checkOptions(options: IssueIdentityOptions, policy: IdentityPolicy): IssueIdentityOptions {
  if (!policy.isServed) {
    throw new AgentAuthorityError("config_invalid", "identity JWTs are not served here", {
      hint: 'add "B" to generations in the configuration of the authority',
    });
  }
  const { accountId, userId, ttlSeconds } = options;
  if (!isPrincipalId(accountId)) throw invalid("accountId");
  if (!isPrincipalId(userId)) throw invalid("userId");
  checkRequested("ttlSeconds", ttlSeconds, ASKED_TTL);
  // As for every agent, the operator's bound cuts what was asked for.
  return { ...options, ttlSeconds: Math.min(ttlSeconds, policy.agentTtlSeconds ?? ttlSeconds) };
}

async function checkUser(
  rows: Rows,
  { accountId, userId }: IssueIdentityOptions,
  policy: IdentityPolicy,
  instant: Instant,
): Promise<void> {
  const principal = { accountId, userId };
  await lockPrincipal(rows, principal, instant);
  await checkAgentLimit(rows, principal, policy.maxLiveAgents, instant);
}

interface NewAgent {
  readonly accountId: string;
  readonly userId: string;
  readonly agentRuntimeId: string;
  readonly key: AgentKey;
  readonly endsAt: string;
}

async function insertAgent(
  rows: Rows,
  { accountId, userId, agentRuntimeId, key, endsAt }: NewAgent,
  occasion: Occasion,
): Promise<void> {
  const subject = { account_id: accountId, user_id: userId, agent_runtime_id: agentRuntimeId };
  await rows
    .insertInto("agents")
    .values({
      ...subject,
      public_key: key.publicKey.line,
      x25519_public_key: encodeBase64(toX25519PublicKey(key.publicKey)),
      capabilities: "[]",
      abom: "{}",
      state: "active",
      created_at: occasion.text,
      claimed_at: occasion.text,
      // The key was made here: nobody has to prove that it is this agent's.
      proven_at: occasion.text,
      expires_at: endsAt,
      revoked_at: null,
      generation: "B",
    })
    .execute();
  await appendAuditEvent(rows, occasion, "identity_issued", subject);
}

function invalid(name: string): AgentAuthorityError {
  return new AgentAuthorityError("invalid_request", `${name} is not allowed`, {
    hint: "ids are 1 to 256 printable ASCII characters without space, quote, comma and backslash; a ttl is in whole seconds",
  });
}
