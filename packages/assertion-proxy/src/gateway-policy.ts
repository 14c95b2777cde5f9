import type { IncomingMessage } from "node:http";
import {
  AssertionRejected,
  type AssertionVerifier,
  type RejectedCaller,
  type VerifiedAssertion,
} from "@countersign/agent-assertion";
import type { Admission, ProxyPolicy } from "./admission.js";
import type { AuditIdentity } from "./audit-entry.js";
import { createForwardedFields } from "./forwarded-fields.js";
import { fieldValues, type RawFields } from "./raw-fields.js";
import { RequestRefusal } from "./request-refusal.js";

/** What a gateway decides by. */
export interface GatewayPolicyOptions {
  readonly verifier: AssertionVerifier;
  readonly accounts: readonly string[] | "any";
  /** Raw fields, checked. */
  readonly upstreamFields: RawFields;
  readonly forwardCookies: boolean;
}

/**
 * Makes the policy of the verifying gateway: one assertion, valid, of an account that is served, and no other account claimed beside it.
 * What the upstream is told of the agent is only what was verified.
 */
export function createGatewayPolicy(options: GatewayPolicyOptions): ProxyPolicy {
  const { verifier, accounts, upstreamFields } = options;
  const served = accounts === "any" ? undefined : new Set(accounts);
  const forwarded = createForwardedFields({
    ownNames: upstreamFields.filter((_, index) => index % 2 === 0),
    forwardCookies: options.forwardCookies,
  });

  async function admit(request: IncomingMessage, signal: AbortSignal): Promise<Admission> {
    const assertion = await verify(verifier, request.rawHeaders, signal);
    const identity = identityOf(assertion);
    if (served !== undefined && !served.has(assertion.accountId)) {
      throw forbidden("this account is not served here", identity);
    }
    // Codex sends it beside the assertion; an upstream may act for the account it names.
    const claimed = fieldValues(request.rawHeaders, "chatgpt-account-id");
    if (claimed.some((account) => account !== assertion.accountId)) {
      throw forbidden("ChatGPT-Account-ID names another account than the assertion's", identity);
    }
    return {
      fields: [
        ...forwarded.ofHeader(request.rawHeaders),
        ...upstreamFields,
        ...["x-agent-runtime-id", assertion.agentRuntimeId],
        ...["x-agent-task-id", assertion.taskId],
        ...["x-agent-account-id", assertion.accountId],
      ],
      keepTrailer: forwarded.trailersOf(request.rawHeaders),
      identity,
      recheck: {
        // No id holds a slash (protocol.md §2).
        key: `${assertion.agentRuntimeId}/${assertion.taskId}`,
        run: (recheckSignal) => recheck(verifier, assertion, recheckSignal),
      },
    };
  }

  return { admit, judge: judgeUpstream };
}

async function verify(
  verifier: AssertionVerifier,
  fields: RawFields,
  signal: AbortSignal,
): Promise<VerifiedAssertion> {
  // Counted on the lines as they came: Node's `headers` would hide all but the first.
  const authorization = fieldValues(fields, "authorization");
  if (authorization.length > 1) {
    throw new RequestRefusal("malformed", "there is more than one Authorization field");
  }
  try {
    return await verifier.verify(authorization[0], { signal });
  } catch (error) {
    throw refusalOf(error);
  }
}

async function recheck(
  verifier: AssertionVerifier,
  assertion: VerifiedAssertion,
  signal: AbortSignal,
): Promise<void> {
  try {
    await verifier.recheck(assertion, { signal });
  } catch (error) {
    throw refusalOf(error);
  }
}

// Anything but a rejection means that nobody could tell. That is the gateway's trouble, and its details are not the caller's.
function refusalOf(cause: unknown): RequestRefusal {
  if (!AssertionRejected.is(cause)) {
    return new RequestRefusal("server_error", "the assertion cannot be checked now", { cause });
  }
  const identity = cause.proven && identityOf(cause.proven);
  return new RequestRefusal(cause.code, cause.message, { cause, identity });
}

function forbidden(message: string, identity: AuditIdentity): RequestRefusal {
  return new RequestRefusal("forbidden", message, { identity });
}

function identityOf(caller: RejectedCaller): AuditIdentity {
  return {
    agent_runtime_id: caller.agentRuntimeId,
    task_id: caller.taskId,
    account_id: caller.accountId,
  };
}

/** An upstream that asks for credentials refuses the gateway's own: the client has none to give, and must not be asked for one. */
function judgeUpstream(status: number, fields: RawFields): RequestRefusal | undefined {
  const refused =
    status === 401 ||
    status === 407 ||
    (status === 403 && fieldValues(fields, "www-authenticate").length > 0);
  if (!refused) return undefined;
  return new RequestRefusal("upstream_refused", "the upstream refused the gateway's credential");
}
