import type { SignatureComponent } from "@countersign/agent-key/message-signature";
import { AgentAssertionError } from "../agent-assertion-error.js";
import type { AgentRecord } from "../directory/agent-directory.js";
import { isSignedBy } from "../verify/is-signed-by.js";
import type { ParsedAssertion } from "../verify/parse-assertion.js";
import { checkMessageSignature } from "./check-message-signature.js";
import type { RequestFacts } from "./request-facts.js";
import { fieldValue } from "./structured-fields.js";

/** The granted capability that holds an agent to bound requests where the server only accepts them. */
export const BINDING_CAPABILITY = "binding";

/** A binding whose signature held. */
export interface CheckedBinding {
  /** The names of the covered components. */
  readonly components: readonly string[];
  /** The covered `Content-Digest`. `undefined`: the signature is that of a request without a body. */
  readonly contentDigest: string | undefined;
  readonly nonce: string;
}

/**
 * Checks the signature of a request's binding: the first part of check 7 on binding. The digest of the body and the nonce are yet to be
 * checked.
 *
 * @returns `undefined` when the request has no signature with the tag of assertions
 * @throws {AgentAssertionError} `bad_signature` when it has one that does not hold
 * @see protocol.md §7
 */
export function checkBinding(
  parsed: ParsedAssertion,
  agent: AgentRecord,
  request: RequestFacts,
  publicUrl: string,
): CheckedBinding | undefined {
  const components: SignatureComponent[] = [
    ["@method", request.method],
    ["@target-uri", publicUrl + request.target],
    ["authorization", fieldValue(request.rawHeaders, "authorization") ?? ""],
  ];
  const { hasBody } = request;
  const contentDigest = fieldValue(request.rawHeaders, "content-digest") ?? "";
  const digest: SignatureComponent[] = [["content-digest", contentDigest]];
  if (hasBody === true) components.push(...digest);
  const binding = checkMessageSignature({
    rawHeaders: request.rawHeaders,
    tag: "agent-assertion",
    components,
    // What the signature covers is then what the body, once it is read, must agree with.
    optionalComponents: hasBody === undefined ? digest : [],
    created: parsed.issuedAt / 1000,
    keyid: parsed.agentRuntimeId,
    // By the same key as the assertion, where the agent has two.
    holds: (text, signature) =>
      agent.publicKeys.some(
        (key) =>
          key.verify(text, signature) && (agent.publicKeys.length === 1 || isSignedBy(parsed, key)),
      ),
  });
  if (binding === undefined) return undefined;
  // The caller gives the assertion and the request apart; they must be one.
  if (fieldValue(request.rawHeaders, "authorization") !== parsed.header) {
    throw mismatch("the assertion is not the request's");
  }
  // Only a target that is a path continues the public URL unambiguously.
  if (!request.target.startsWith("/")) throw mismatch("the request's target is no path");
  const { components: covered, nonce } = binding;
  const isCovered = covered.includes("content-digest");
  return { components: covered, contentDigest: isCovered ? contentDigest : undefined, nonce };
}

function mismatch(message: string): AgentAssertionError {
  return new AgentAssertionError("bad_signature", message);
}
