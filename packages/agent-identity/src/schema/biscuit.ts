import { hideMembers } from "@countersign/agent-key";
import { AgentIdentityError } from "../agent-identity-error.js";

/** Where a biscuit is minted, below the authority's base URL. */
export const BISCUIT_PATH = "/authenticate_app_v2";

/** The header that carries a biscuit: in the answer to its minting and in the request that it is spent on. */
export const BISCUIT_HEADER = "x-openai-authorization";

// Of any length: the server bounds the head of a request, and who looks at the token bounds what it reads.
const BEARER = /^bearer +([\x21-\x7e]+)$/i;
const METHOD = /^[A-Z]{1,16}$/;
const REQUEST_ID = /^[\x21-\x7e]{1,256}$/;
const BISCUIT = /^[\x21-\x7e]{1,8192}$/;

/** What a biscuit is asked for: proof of this human for one request with this method and URL. */
export interface BiscuitRequest {
  /** Secret. */
  readonly accessToken: string;
  /** Method of the request that the biscuit is for, in upper case. */
  readonly method: string;
  /** Absolute URL of the request that the biscuit is for. */
  readonly url: string;
  /** Names this minting, for logs. */
  readonly requestId: string;
}

/** Makes the headers of `GET {base}/authenticate_app_v2` (protocol.md §13.1). */
export function createBiscuitRequestHeaders(request: BiscuitRequest): Record<string, string> {
  return {
    authorization: `Bearer ${request.accessToken}`,
    "x-request-id": request.requestId,
    "x-original-method": request.method,
    "x-original-url": request.url,
  };
}

/**
 * Reads the headers of a biscuit request, for the authority. Names in lower case, as `node:http` gives them.
 *
 * Checks the form alone: whose token it is, and whether biscuits are given for that method and URL, is the authority's to decide.
 *
 * @throws {AgentIdentityError} `unauthenticated` without one bearer token; `invalid_request` without a method, URL or request id of the
 * right form
 */
export function parseBiscuitRequestHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): BiscuitRequest {
  const accessToken = BEARER.exec(single(headers.authorization) ?? "")?.[1];
  if (accessToken === undefined) {
    throw new AgentIdentityError("unauthenticated", "a biscuit request needs one bearer token");
  }
  const method = single(headers["x-original-method"]);
  const url = single(headers["x-original-url"]);
  const requestId = single(headers["x-request-id"]);
  if (method === undefined || !METHOD.test(method)) throw invalid("X-Original-Method");
  if (url === undefined || url.length > 8192 || !URL.canParse(url)) throw invalid("X-Original-Url");
  if (requestId === undefined || !REQUEST_ID.test(requestId)) throw invalid("X-Request-Id");
  return hideMembers({ accessToken, method, url, requestId }, "accessToken");
}

/**
 * Reads the biscuit from the headers of the answer; its body does not matter.
 *
 * @throws {AgentIdentityError} `bad_response` when there is none, more than one, or one with characters that no header may carry
 */
export function parseBiscuitResponseHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): string {
  const biscuit = single(headers[BISCUIT_HEADER]);
  if (biscuit === undefined || !BISCUIT.test(biscuit)) {
    throw new AgentIdentityError(
      "bad_response",
      `the authority's answer has no usable ${BISCUIT_HEADER} header`,
      { hint: "check that the authority serves generation A, or log in with proof bearer" },
    );
  }
  return biscuit;
}

function single(value: string | readonly string[] | undefined): string | undefined {
  if (typeof value === "string" || value === undefined) return value;
  return value.length === 1 ? value[0] : undefined;
}

function invalid(name: string): AgentIdentityError {
  return new AgentIdentityError("invalid_request", `${name} is missing or malformed`);
}
