import type { AgentRegistrationRequest } from "@countersign/agent-identity/server";
import { encodeBase64 } from "@countersign/agent-key";
import { toX25519PublicKey } from "@countersign/agent-task/server";
import { uuidv7 } from "uuidv7";
import type { Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { formatAbom } from "./bill-of-materials.js";
import { grantCapabilities } from "./capabilities.js";
import { type AgentKind, admitAgent } from "./count-live-agents.js";
import { checkFormerKey, revokedKey } from "./former-key.js";
import { formatClaims, indexClaims } from "./kept-claims.js";
import { isLapsedClaim, lifeStateOf } from "./life-state.js";
import type { LimitUse } from "./limit-use.js";
import type { LiveLimitsOf } from "./live-limits.js";
import type { Principal } from "./principal.js";
import { lockPrincipal } from "./principals.js";
import { proveKey } from "./prove-key.js";
import { Refusal } from "./refusal.js";
import { endOfLife, type Instant, MAX_TTL_SECONDS } from "./times.js";

/** What the operator allows agents. */
export interface AgentPolicy {
  readonly capabilities: readonly string[];
  readonly agentTtlSeconds: number | undefined;
  /** Seconds that an ephemeral agent lives at most. */
  readonly maxEphemeralTtlSeconds: number;
  readonly limitsOf: LiveLimitsOf;
}

type Grant = Pick<
  AgentRow,
  "abom" | "claims" | "capabilities" | "claimed_at" | "expires_at" | "ephemeral"
>;
/** What a repeat changes of its agent: all that was granted, or its life alone. */
type Renewal = Grant | Pick<Grant, "expires_at">;

// What a job of a CI seldom outlives. A longer one asks for more.
const EPHEMERAL_SECONDS = 3_600;

/** An agent that was registered, and how much of its user's limit that used if it was admitted as one more. */
export interface RegisteredAgent {
  readonly agent: AgentRow;
  readonly use: LimitUse | undefined;
}

/**
 * Registers an agent. If this user has registered the key before, renews and returns that agent (protocol §5.4).
 *
 * If the key is proven, a repeat without proof renews the agent's life and changes nothing else. Such a repeat takes only the human's token and
 * the public key, and other machines than the agent's may have both.
 *
 * Refuses a key that another user's agent has proved (`invalid_key`), the key of a revoked agent of any user (`agent_revoked`), and one live
 * agent too many of the user (`agent_limit`). Ignores unproven claims of other users.
 *
 * @param isProven - whether the sender showed that it holds the key: the key then belongs to the agent at once
 */
export async function registerAgent(
  rows: Rows,
  principal: Principal,
  request: AgentRegistrationRequest,
  policy: AgentPolicy,
  isProven: boolean,
  stamp: AuditStamp,
): Promise<RegisteredAgent> {
  await lockPrincipal(rows, principal, stamp);
  const holders = await rows
    .selectFrom("agents")
    .selectAll()
    .where("public_key", "=", request.publicKey.line)
    .orderBy("agent_runtime_id")
    .forNoKeyUpdate()
    .execute();
  const own = holders.find((row) => isOwnedBy(row, principal));
  checkHolders(holders, own);
  await checkFormerKey(rows, request.publicKey);
  // Its life is the JWT's: registering the key would lengthen it.
  if (own?.generation === "B") throw ofIdentityJwt();
  const kind = kindOf(own, request, isProven, stamp);
  const use =
    own === undefined || !isLive(own, stamp)
      ? await admitAgent(rows, principal, kind, policy.limitsOf(principal), stamp)
      : undefined;
  const grant = createGrant(request, principal, policy, { own, kind }, stamp);
  const agent =
    own === undefined
      ? await insertAgent(rows, principal, request, grant, stamp)
      : await renewAgent(rows, own, renewalOf(own, grant, isProven), stamp);
  if (isProven && agent.proven_at === null) await proveKey(rows, agent, stamp);
  return { agent, use };
}

/** Returns whether an agent belongs to this account and user. */
export function isOwnedBy(
  row: Pick<AgentRow, "account_id" | "user_id">,
  principal: Principal,
): boolean {
  return row.account_id === principal.accountId && row.user_id === principal.userId;
}

function checkHolders(holders: readonly AgentRow[], own: AgentRow | undefined): void {
  // A proven owner is not to be shut out by what happens to a stranger's claim; anyone else is, also where that claim was never proved.
  const isProvenOwner = own?.state === "active" && own.proven_at !== null;
  if (!isProvenOwner && holders.some((row) => row.state === "revoked")) {
    throw revokedKey();
  }
  if (holders.some((row) => row !== own && row.proven_at !== null)) {
    throw new Refusal("invalid_key", "this key belongs to another agent", {
      hint: "make a key of its own for each account and user",
    });
  }
}

function ofIdentityJwt(): Refusal {
  return new Refusal("invalid_key", "this key came in an identity JWT, and ends with it", {
    hint: "make a key of your own, or ask for another JWT",
  });
}

function isLive(row: AgentRow, instant: Instant): boolean {
  return lifeStateOf(row, instant) === "active" && !isLapsedClaim(row, instant);
}

// The kind stays while the agent lives, and where the key is proven and the sender did not show that it holds it (protocol §5.4).
function kindOf(
  own: AgentRow | undefined,
  request: AgentRegistrationRequest,
  isProven: boolean,
  instant: Instant,
): AgentKind {
  const isKept =
    own !== undefined && (isLive(own, instant) || (own.proven_at !== null && !isProven));
  const isEphemeral = isKept ? own.ephemeral === 1 : request.ephemeral === true;
  return isEphemeral ? "ephemeral" : "lasting";
}

function createGrant(
  request: AgentRegistrationRequest,
  principal: Principal,
  policy: AgentPolicy,
  { own, kind }: { readonly own: AgentRow | undefined; readonly kind: AgentKind },
  instant: Instant,
): Grant {
  const isEphemeral = kind === "ephemeral";
  const ttlSeconds = Math.min(
    request.ttlSeconds ?? (isEphemeral ? EPHEMERAL_SECONDS : Number.POSITIVE_INFINITY),
    isEphemeral ? policy.maxEphemeralTtlSeconds : Number.POSITIVE_INFINITY,
    policy.agentTtlSeconds ?? principal.agentTtlSeconds ?? Number.POSITIVE_INFINITY,
  );
  const expiresAt = Number.isFinite(ttlSeconds)
    ? endOfLife(instant, Math.min(ttlSeconds, MAX_TTL_SECONDS))
    : null;
  return {
    abom: formatAbom(request.abom),
    claims: formatClaims(principal),
    capabilities: JSON.stringify(grantCapabilities(request.capabilities, policy.capabilities)),
    claimed_at: instant.text,
    ephemeral: isEphemeral ? 1 : 0,
    // A repeat may come without proof of the key, so it may lengthen a life that still lasts but never shorten it.
    expires_at:
      own !== undefined && isLive(own, instant) ? later(own.expires_at, expiresAt) : expiresAt,
  };
}

function renewalOf(own: AgentRow, grant: Grant, isProven: boolean): Renewal {
  return isProven || own.proven_at === null ? grant : { expires_at: grant.expires_at };
}

function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return null;
  return a > b ? a : b;
}

async function insertAgent(
  rows: Rows,
  principal: Principal,
  request: AgentRegistrationRequest,
  grant: Grant,
  stamp: AuditStamp,
): Promise<AgentRow> {
  const row: AgentRow = {
    agent_runtime_id: `agent_${uuidv7()}`,
    account_id: principal.accountId,
    user_id: principal.userId,
    public_key: request.publicKey.line,
    x25519_public_key: encodeBase64(toX25519PublicKey(request.publicKey)),
    state: "active",
    created_at: stamp.text,
    proven_at: null,
    revoked_at: null,
    generation: "C",
    former_keys_end_at: null,
    address: stamp.origin.address ?? null,
    ...grant,
  };
  await rows.insertInto("agents").values(row).execute();
  await indexClaims(rows, row, null);
  await appendAuditEvent(rows, stamp, "agent_registered", subjectOf(row, principal));
  return row;
}

async function renewAgent(
  rows: Rows,
  own: AgentRow,
  renewal: Renewal,
  stamp: AuditStamp,
): Promise<AgentRow> {
  await rows
    .updateTable("agents")
    .set(renewal)
    .where("agent_runtime_id", "=", own.agent_runtime_id)
    .execute();
  const renewed = { ...own, ...renewal };
  await indexClaims(rows, renewed, own.claims);
  await appendAuditEvent(rows, stamp, "agent_renewed", {
    account_id: own.account_id,
    user_id: own.user_id,
    agent_runtime_id: own.agent_runtime_id,
  });
  return renewed;
}

function subjectOf(row: AgentRow, principal: Principal) {
  return {
    account_id: row.account_id,
    user_id: row.user_id,
    agent_runtime_id: row.agent_runtime_id,
    access_token_id: principal.accessTokenId,
  };
}
