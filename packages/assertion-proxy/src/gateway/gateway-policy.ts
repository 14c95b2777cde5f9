import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import {
  AssertionRejected,
  type AssertionVerifier,
  type LookupLimit,
  type RejectedCaller,
  type RequestFacts,
  TooManyLookups,
  type VerifiedAssertion,
  type VerifyOptions,
} from "@countersign/agent-assertion";
import {
  clientAddressOf,
  isTrustedProxy,
  networkOf,
  normaliseAddress,
  sourceOf,
  type TrustedProxies,
} from "@countersign/agent-assertion/client-address";
import type { Admission, BodyReader, ProxyPolicy, TakePlace } from "../exchange/admission.js";
import { createForwardedFields } from "../head/forwarded-fields.js";
import { fieldValues, type RawFields } from "../head/raw-fields.js";
import { parseRequestFraming } from "../head/request-framing.js";
import type { AuditIdentity } from "../refusal/audit-entry.js";
import type { LimitName } from "../refusal/proxy-limit-name.js";
import { RequestRefusal } from "../refusal/request-refusal.js";

/** Options of the policy of a verifying gateway. */
export interface GatewayPolicyOptions {
  readonly verifier: AssertionVerifier;
  readonly accounts: readonly string[] | "any";
  /** Raw fields, checked. */
  readonly upstreamFields: RawFields;
  readonly forwardCookies: boolean;
  readonly forwardHeaders: readonly string[];
  /** The proxies whose `X-Forwarded-For` is believed. Absent: none. */
  readonly trustedProxies: TrustedProxies | undefined;
}

/** The policy of a verifying gateway. */
export interface GatewayPolicy extends ProxyPolicy {
  /**
   * Takes other fields for the upstream, checked, for every request that is admitted from now on.
   *
   * @throws {AssertionProxyError} `config_invalid` for one that is in `forwardHeaders`; nothing is changed then
   */
  setUpstreamFields(fields: RawFields): void;
}

const LOOKUP_LIMITS: Readonly<Record<LookupLimit, LimitName>> = {
  lookups: "lookups",
  lookups_by_source: "lookups_per_address",
  unknown_by_source: "unknown_per_address",
};

// Codex sends it beside the assertion; an upstream may act for the account it names.
const CLAIMED_ACCOUNT = "chatgpt-account-id";

/**
 * Makes the policy of the verifying gateway. A request must carry exactly one valid assertion of an account that is served, and must not
 * claim another account beside it. The upstream gets only verified facts about the agent.
 *
 * @throws {AssertionProxyError} `config_invalid` for a name in `forwardHeaders` that may not pass
 */
export function createGatewayPolicy(options: GatewayPolicyOptions): GatewayPolicy {
  const { verifier, accounts, forwardCookies, forwardHeaders, trustedProxies } = options;
  const served = accounts === "any" ? undefined : new Set(accounts);
  let own = ownFields(options.upstreamFields);

  /** What the gateway sets, and what it therefore lets pass. */
  function ownFields(fields: RawFields) {
    const ownNames = fields.filter((_, index) => index % 2 === 0);
    const forwarded = createForwardedFields({
      ownNames,
      readNames: [CLAIMED_ACCOUNT],
      forwardCookies,
      forwardHeaders,
    });
    return { fields, forwarded };
  }

  async function admit(
    request: IncomingMessage,
    signal: AbortSignal,
    body: BodyReader,
    takePlace: TakePlace,
  ): Promise<Admission> {
    const assertion = await verify(verifier, request, body, {
      signal,
      source: addressOf(request),
      onProven: (caller) => takePlace(identityOf(caller)),
    });
    const identity = identityOf(assertion);
    if (served !== undefined && !served.has(assertion.accountId)) {
      throw forbidden("this account is not served here", identity);
    }
    const claimed = fieldValues(request.rawHeaders, CLAIMED_ACCOUNT);
    if (claimed.some((account) => account !== assertion.accountId)) {
      throw forbidden("ChatGPT-Account-ID names another account than the assertion's", identity);
    }
    // Read together: names and values are of one moment, even if others are set while this request is in work.
    const { fields, forwarded } = own;
    return {
      fields: [
        ...forwarded.ofHeader(request.rawHeaders),
        ...fields,
        ...["x-agent-runtime-id", assertion.agentRuntimeId],
        ...["x-agent-task-id", assertion.taskId],
        ...["x-agent-account-id", assertion.accountId],
      ],
      keepTrailer: forwarded.trailersOf(request.rawHeaders),
      identity,
      recheck: {
        // No id holds a slash (protocol.md §3).
        key: `${assertion.agentRuntimeId}/${assertion.taskId}`,
        run: (recheckSignal) => recheck(verifier, assertion, recheckSignal),
      },
    };
  }

  function addressOf(request: IncomingMessage): string | undefined {
    if (trustedProxies === undefined) return sourceOf(request.socket.remoteAddress);
    return sourceOf(clientAddressOf(request, trustedProxies));
  }

  function connectionAddressOf({ remoteAddress = "" }: Socket): string | undefined {
    const address = normaliseAddress(remoteAddress);
    if (address !== undefined && trustedProxies && isTrustedProxy(address, trustedProxies)) {
      return undefined;
    }
    // Not known where the connection is gone already.
    return networkOf(address ?? "unknown");
  }

  return {
    addressOf,
    connectionAddressOf,
    checkNames: (fields) => own.forwarded.checkNames(fields),
    admit,
    judge: judgeUpstream,
    setUpstreamFields(fields) {
      own = ownFields(fields);
    },
  };
}

async function verify(
  verifier: AssertionVerifier,
  request: IncomingMessage,
  body: BodyReader,
  options: VerifyOptions,
): Promise<VerifiedAssertion> {
  // Counted on the lines as they came: Node's `headers` would hide all but the first.
  const authorization = fieldValues(request.rawHeaders, "authorization");
  if (authorization.length > 1) {
    throw new RequestRefusal("malformed", "there is more than one Authorization field");
  }
  try {
    const facts = verifier.binding === undefined ? undefined : factsOf(request, body);
    return await verifier.verify(authorization[0], { ...options, request: facts });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** What a binding covers, as it was received. */
function factsOf(request: IncomingMessage, body: BodyReader): RequestFacts {
  const framing = parseRequestFraming(request.rawHeaders, request.httpVersion);
  return {
    method: request.method ?? "",
    target: request.url ?? "",
    rawHeaders: request.rawHeaders,
    // All chunks may be empty.
    hasBody:
      framing.kind === "chunked" ? undefined : framing.kind === "length" && framing.length > 0,
    // What is read for the digest is what goes to the upstream.
    body: (maxBytes) => body.read(maxBytes),
  };
}

async function recheck(
  verifier: AssertionVerifier,
  assertion: VerifiedAssertion,
  signal: AbortSignal,
): Promise<void> {
  try {
    await verifier.recheck(assertion, { signal });
  } catch (error) {
    if (!AssertionRejected.is(error)) throw refusalOf(error);
    // No 401: the upstream has the request, and after a 401 for its task a client would send it there once more (protocol.md §10).
    const message = `${error.message}; whether the request was done is not known`;
    throw new RequestRefusal(error.code, message, { cause: error, answeredAs: "forbidden" });
  }
}

// Any error but a rejection means that the check could not be made. The caller gets no details of that.
function refusalOf(cause: unknown): RequestRefusal {
  if (RequestRefusal.is(cause)) return cause;
  if (TooManyLookups.is(cause)) {
    const { code, message, retryAfterSeconds } = cause;
    const limit = LOOKUP_LIMITS[cause.limit];
    return new RequestRefusal(code, message, { cause, retryAfterSeconds, limit });
  }
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
