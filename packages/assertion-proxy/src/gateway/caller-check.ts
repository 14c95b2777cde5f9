import type { IncomingMessage } from "node:http";
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
import { CALLER_TOKEN_FIELD, type CallerTokens } from "../caller-token/caller-tokens.js";
import type { AdmitContext, BodyReader } from "../exchange/admission.js";
import { fieldValues, type RawFields } from "../head/raw-fields.js";
import { parseRequestFraming } from "../head/request-framing.js";
import type { AuditIdentity } from "../refusal/audit-entry.js";
import type { LimitName } from "../refusal/proxy-limit-name.js";
import { RequestRefusal } from "../refusal/request-refusal.js";

/** What a request shows of its body, for the check of its binding. */
export type BodyFacts = Pick<RequestFacts, "hasBody" | "body">;

/** Options of {@link createCallerCheck}. */
export interface CallerCheckOptions {
  readonly verifier: AssertionVerifier;
  readonly accounts: readonly string[] | "any";
  /** Returns whose share of lookups a request takes. */
  readonly addressOf: (request: IncomingMessage) => string | undefined;
  /** Returns what is known of a request's body. */
  readonly bodyOf: (request: IncomingMessage, body: BodyReader) => BodyFacts;
}

/** A request whose caller may pass. */
export interface CheckedCaller {
  readonly assertion: VerifiedAssertion;
  readonly identity: AuditIdentity;
}

/**
 * Checks who sent a request.
 *
 * @throws {RequestRefusal} if the caller may not pass, or cannot be checked
 */
export type CallerCheck = (
  request: IncomingMessage,
  context: Omit<AdmitContext, "whenOver">,
) => Promise<CheckedCaller>;

const LOOKUP_LIMITS: Readonly<Record<LookupLimit, LimitName>> = {
  lookups: "lookups",
  lookups_by_source: "lookups_per_address",
  unknown_by_source: "unknown_per_address",
};

// Codex sends it beside the assertion; an upstream may act for the account it names.
export const CLAIMED_ACCOUNT = "chatgpt-account-id";

/**
 * Makes the check of gateway and authorizer. A request must carry exactly one valid assertion of an account that is served, and must not
 * claim another account beside it.
 */
export function createCallerCheck(options: CallerCheckOptions): CallerCheck {
  const { verifier, accounts, addressOf, bodyOf } = options;
  const served = accounts === "any" ? undefined : new Set(accounts);
  return async (request, { signal, body, takePlace, requestId }) => {
    const facts = { request, body: () => bodyOf(request, body) };
    const assertion = await verify(verifier, facts, {
      signal,
      source: addressOf(request),
      requestId,
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
    return { assertion, identity };
  };
}

/** Returns the fields that tell an upstream who the verified caller is. @param tokens - signs it; absent: the fields alone say so */
export function callerFields(
  assertion: VerifiedAssertion,
  tokens: CallerTokens | undefined,
): RawFields {
  return [
    ...["x-agent-runtime-id", assertion.agentRuntimeId],
    ...["x-agent-task-id", assertion.taskId],
    ...["x-agent-account-id", assertion.accountId],
    ...(tokens === undefined ? [] : [CALLER_TOKEN_FIELD, tokens.sign(assertion)]),
  ];
}

/** Returns what is known of a body that comes with its request. */
export function ownBody(request: IncomingMessage, body: BodyReader): BodyFacts {
  const framing = parseRequestFraming(request.rawHeaders, request.httpVersion);
  return {
    // All chunks may be empty.
    hasBody:
      framing.kind === "chunked" ? undefined : framing.kind === "length" && framing.length > 0,
    // What is read for the digest is what goes to the upstream.
    body: (maxBytes) => body.read(maxBytes),
  };
}

async function verify(
  verifier: AssertionVerifier,
  facts: { readonly request: IncomingMessage; readonly body: () => BodyFacts },
  options: VerifyOptions,
): Promise<VerifiedAssertion> {
  const { request } = facts;
  // Counted on the lines as they came: Node's `headers` would hide all but the first.
  const authorization = fieldValues(request.rawHeaders, "authorization");
  if (authorization.length > 1) {
    throw new RequestRefusal("malformed", "there is more than one Authorization field");
  }
  try {
    // What a binding covers, as it was received.
    const bound = verifier.binding && {
      method: request.method ?? "",
      target: request.url ?? "",
      rawHeaders: request.rawHeaders,
      ...facts.body(),
    };
    return await verifier.verify(authorization[0], { ...options, request: bound });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** Returns the refusal for an error of a check. Any error but a rejection means that the check could not be made: no details of it are shown. */
export function refusalOf(cause: unknown): RequestRefusal {
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
    user_id: caller.userId,
    account_id: caller.accountId,
  };
}
