import type { IncomingMessage } from "node:http";
import type { AssertionVerifier } from "@countersign/agent-assertion";
import {
  clientAddressOf,
  sourceOf,
  type TrustedProxies,
} from "@countersign/agent-assertion/client-address";
import type { CallerTokens } from "../caller-token/caller-tokens.js";
import type { BodyReader, ProxyPolicy } from "../exchange/admission.js";
import {
  type BodyFacts,
  CLAIMED_ACCOUNT,
  callerFields,
  createCallerCheck,
  ownBody,
} from "../gateway/caller-check.js";
import { createForwardedFields } from "../head/forwarded-fields.js";
import { fieldLines } from "../head/raw-fields.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { createRestore, type RestoredRequest, type RestoreOptions } from "./restore-request.js";

/** Options of the policy of an authorizer. */
export interface AuthorizerPolicyOptions extends RestoreOptions {
  readonly verifier: AssertionVerifier;
  readonly accounts: readonly string[] | "any";
  /** The gateway hands over the bodies of the requests in question, whole. */
  readonly handsOverBodies: boolean;
  /** Signs who the caller is. Absent: nothing does. */
  readonly callerTokens: CallerTokens | undefined;
  /** The proxies whose `X-Forwarded-For` is believed, `GATEWAY_ADDRESS` among them. */
  readonly trustedProxies: TrustedProxies;
}

/** Stands for the gateway's own address, whichever that is: its requests were recognised by where they came in, or by the token. */
export const GATEWAY_ADDRESS = "127.0.0.1";

const VERIFIED_PREFIX = "x-agent-";

/**
 * Makes the policy of an authorizer: a gateway asks about a request, whose caller is checked as the verifying gateway does it. The answer has
 * only verified facts about the agent.
 *
 * The authorizer cannot take fields out of the request, so it refuses one in which the client itself wrote `x-agent-*`, in any spelling: not
 * every gateway replaces them.
 */
export function createAuthorizerPolicy(options: AuthorizerPolicyOptions): ProxyPolicy {
  const { verifier, accounts, handsOverBodies, callerTokens, trustedProxies } = options;
  const restoreRequest = createRestore(options);
  const restored = new WeakMap<IncomingMessage, RestoredRequest>();
  const names = createForwardedFields({
    ownNames: [],
    readNames: [CLAIMED_ACCOUNT],
    forwardCookies: false,
    forwardHeaders: [],
  });
  const checkCaller = createCallerCheck({ verifier, accounts, addressOf, bodyOf });

  function clientOf({ rawHeaders }: IncomingMessage): string | undefined {
    const hops = fieldLines(rawHeaders)
      .filter(({ rawName }) => rawName.toLowerCase() === "x-forwarded-for")
      .map(({ value }) => value);
    return clientAddressOf(
      {
        socket: { remoteAddress: GATEWAY_ADDRESS },
        headers: { "x-forwarded-for": hops.join(",") },
      },
      trustedProxies,
    );
  }

  function addressOf(request: IncomingMessage): string | undefined {
    return sourceOf(clientOf(request));
  }

  function bodyOf(request: IncomingMessage, body: BodyReader): BodyFacts {
    if (handsOverBodies) return ownBody(request, body);
    return {
      // Not known where the gateway does not say that there is none.
      hasBody: restored.get(request)?.isBodiless === true ? false : undefined,
      async body() {
        throw new RequestRefusal(
          "forbidden",
          "the request is bound, and the gateway does not hand over its body: it cannot be checked here",
        );
      },
    };
  }

  return {
    addressOf,
    clientAddressOf: clientOf,
    // The gateway's, which bounds those of its clients itself.
    connectionAddressOf: () => undefined,
    checkNames: (fields) => names.checkNames(fields),
    restore(request) {
      restored.set(request, restoreRequest(request));
    },
    guard({ rawHeaders }) {
      if (fieldLines(rawHeaders).some(({ name }) => name.startsWith(VERIFIED_PREFIX))) {
        throw new RequestRefusal(
          "forbidden",
          "the request has a field x-agent-*, which only the gateway may add",
        );
      }
    },
    async admit(request, context) {
      const { assertion, identity } = await checkCaller(request, context);
      return { fields: callerFields(assertion, callerTokens), keepTrailer: () => false, identity };
    },
  };
}
