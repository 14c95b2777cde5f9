import { createHash } from "node:crypto";
import type { AgentCredential, SyncAgentSigner } from "@countersign/agent-key";
import {
  contentDigest,
  type SignatureComponent,
  signMessage,
} from "@countersign/agent-key/message-signature";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { parseAssertion } from "../verify/parse-assertion.js";

// Scheme and authority apart from the rest, which is signed byte for byte as it is sent.
const TARGET = /^(https?:\/\/[^/?#\\]+)([^#]*)/i;
const VISIBLE = /^[!-~]*$/;
const METHOD = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** One request of an agent, as it is sent. */
export interface BindRequestInput {
  readonly credential: AgentCredential<SyncAgentSigner>;
  /** The value of the request's `Authorization` field, made for the same credential. */
  readonly authorization: string;
  /** As it is sent: methods are case-sensitive. */
  readonly method: string;
  /** Scheme, host, path and query as they are sent, escaped. A fragment is dropped: it is never sent. */
  readonly targetUri: string;
  /** The whole body as it is sent. Absent or empty: the request has none. */
  readonly body: Uint8Array | undefined;
  /** The caller's own `Content-Digest`. Kept if every member of it is right, and of sha-256 or sha-512; otherwise refused. */
  readonly contentDigest?: string | undefined;
}

/**
 * Binds an assertion to one request: an attacker who reads it cannot present it with another method, URL or body, nor a second time.
 *
 * Signs with a fresh nonce on every call. Call it once per attempt. `created` is the assertion's timestamp.
 *
 * @returns names and values of the fields to send beside `Authorization`: `content-digest` (only with a body), `signature-input`,
 * `signature`
 * @throws {AgentAssertionError} `invalid_request` when the authorization is not an assertion of the credential's agent and task, the
 * target is no absolute http(s) URL in the form that is sent, or the caller's own digest is not that of the body
 * @throws {AgentKeyError} as `signWith`
 * @see protocol.md §7; RFC 9421
 */
export function bindRequest(input: BindRequestInput): readonly (readonly [string, string])[] {
  return bindWithNonce(input, undefined);
}

/**
 * The same with a nonce of the caller's.
 *
 * @param nonce - default 16 random bytes as base64url
 */
export function bindWithNonce(
  input: BindRequestInput,
  nonce: string | undefined,
): readonly (readonly [string, string])[] {
  const { credential, method } = input;
  const assertion = assertionOf(input);
  if (!METHOD.test(method)) throw invalid("the method is not a valid HTTP method");
  const components: SignatureComponent[] = [
    ["@method", method],
    ["@target-uri", targetUriOf(input.targetUri)],
    ["authorization", assertion.header],
  ];
  const digest = digestOf(input);
  if (digest !== undefined) components.push(["content-digest", digest]);
  const { signatureInput, signature } = signMessage({
    key: credential.key,
    keyid: credential.agentRuntimeId,
    tag: "agent-assertion",
    created: assertion.issuedAt / 1000,
    nonce,
    components,
  });
  return [
    ...(digest === undefined ? [] : [["content-digest", digest] as const]),
    ["signature-input", signatureInput],
    ["signature", signature],
  ];
}

function assertionOf({ authorization, credential }: BindRequestInput) {
  const assertion = parse(authorization);
  const { agentRuntimeId, taskId } = assertion;
  if (agentRuntimeId !== credential.agentRuntimeId || taskId !== credential.taskId) {
    throw invalid("the assertion is another agent's or task's");
  }
  return assertion;
}

function parse(authorization: string) {
  try {
    return parseAssertion(authorization);
  } catch (cause) {
    throw invalid("only a request with an AgentAssertion can be bound", cause);
  }
}

function targetUriOf(text: string): string {
  const [, root = "", rest = ""] = TARGET.exec(text) ?? [];
  if (!URL.canParse(root) || !VISIBLE.test(rest)) {
    throw invalid("the target is no absolute http(s) URL in the form that is sent");
  }
  // An empty path is sent as "/" (RFC 9110 §4.2.3).
  return new URL(root).origin + (rest.startsWith("/") ? rest : `/${rest}`);
}

function digestOf({ body, contentDigest: own }: BindRequestInput): string | undefined {
  if (body === undefined || body.length === 0) {
    if (own === undefined) return undefined;
    throw invalid("a Content-Digest without a body");
  }
  if (own === undefined) return contentDigest(body);
  const sha512 = `sha-512=:${createHash("sha512").update(body).digest("base64")}:`;
  const right = [contentDigest(body), sha512];
  const members = own.split(",").map((member) => member.trim());
  if (new Set(members).size !== members.length || !members.every((m) => right.includes(m))) {
    throw invalid("the request's own Content-Digest is not that of its body");
  }
  return own.trim();
}

function invalid(message: string, cause?: unknown): AgentAssertionError {
  return new AgentAssertionError("invalid_request", message, {
    cause,
    hint: "a bound request needs its whole body, its URL and its AgentAssertion before it is sent",
  });
}
