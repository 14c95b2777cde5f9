import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import {
  AssertionRejected,
  type AssertionVerifier,
  type VerifiedAssertion,
} from "@countersign/agent-assertion";
import {
  clientAddressOf,
  isTrustedProxy,
  networkOf,
  normaliseAddress,
  sourceOf,
  type TrustedProxies,
} from "@countersign/agent-assertion/client-address";
import type { CallerTokens } from "../caller-token/caller-tokens.js";
import type { Admission, AdmitContext, ProxyPolicy } from "../exchange/admission.js";
import { createForwardedFields } from "../head/forwarded-fields.js";
import { fieldValues, type RawFields } from "../head/raw-fields.js";
import { peerAddressOf, REQUEST_ID_FIELD } from "../head/request-origin.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import {
  CLAIMED_ACCOUNT,
  callerFields,
  createCallerCheck,
  ownBody,
  refusalOf,
} from "./caller-check.js";

/** Options of the policy of a verifying gateway. */
export interface GatewayPolicyOptions {
  readonly verifier: AssertionVerifier;
  readonly accounts: readonly string[] | "any";
  /** Raw fields, checked. */
  readonly upstreamFields: RawFields;
  readonly forwardCookies: boolean;
  readonly forwardHeaders: readonly string[];
  /** Signs who the caller is. Absent: nothing does. */
  readonly callerTokens: CallerTokens | undefined;
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

/**
 * Makes the policy of the verifying gateway. A request must carry exactly one valid assertion of an account that is served, and must not
 * claim another account beside it. The upstream gets only verified facts about the agent.
 *
 * @throws {AssertionProxyError} `config_invalid` for a name in `forwardHeaders` that may not pass
 */
export function createGatewayPolicy(options: GatewayPolicyOptions): GatewayPolicy {
  const { verifier, accounts, forwardCookies, forwardHeaders, trustedProxies } = options;
  const checkCaller = createCallerCheck({ verifier, accounts, addressOf, bodyOf: ownBody });
  let own = ownFields(options.upstreamFields);

  /** What the gateway sets, and what it therefore lets pass. */
  function ownFields(fields: RawFields) {
    const ownNames = [REQUEST_ID_FIELD, ...fields.filter((_, index) => index % 2 === 0)];
    const forwarded = createForwardedFields({
      ownNames,
      readNames: [CLAIMED_ACCOUNT],
      forwardCookies,
      forwardHeaders,
    });
    return { fields, forwarded };
  }

  async function admit(request: IncomingMessage, context: AdmitContext): Promise<Admission> {
    const { assertion, identity } = await checkCaller(request, context);
    // Read together: names and values are of one moment, even if others are set while this request is in work.
    const { fields, forwarded } = own;
    return {
      fields: [
        ...forwarded.ofHeader(request.rawHeaders),
        ...fields,
        ...callerFields(assertion, options.callerTokens),
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

  function clientOf(request: IncomingMessage): string | undefined {
    if (trustedProxies === undefined) return peerAddressOf(request.socket);
    return clientAddressOf(request, trustedProxies);
  }

  function addressOf(request: IncomingMessage): string | undefined {
    return sourceOf(clientOf(request));
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
    clientAddressOf: clientOf,
    connectionAddressOf,
    checkNames: (fields) => own.forwarded.checkNames(fields),
    admit,
    judge: judgeUpstream,
    setUpstreamFields(fields) {
      own = ownFields(fields);
    },
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

/** An upstream that asks for credentials refuses the gateway's own: the client has none to give, and must not be asked for one. */
function judgeUpstream(status: number, fields: RawFields): RequestRefusal | undefined {
  const refused =
    status === 401 ||
    status === 407 ||
    (status === 403 && fieldValues(fields, "www-authenticate").length > 0);
  if (!refused) return undefined;
  return new RequestRefusal("upstream_refused", "the upstream refused the gateway's credential");
}
