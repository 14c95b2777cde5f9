import type { ReceivedRequest } from "./bound-request.js";

/** What a verifier is told to do. */
export interface CasePolicy {
  readonly binding: "off" | "accept" | "require";
  readonly accounts?: readonly string[];
  readonly capability?: string;
}

/** Requests that come to one verifier in their order. */
export interface RequestCase {
  readonly name: string;
  readonly policy: CasePolicy;
  readonly requests: readonly (ReceivedRequest & { readonly expected: string })[];
}

/** A case of one request. */
export function oneRequest(
  name: string,
  request: ReceivedRequest,
  expected: string,
  policy: CasePolicy = { binding: "require" },
): RequestCase {
  return { name, policy, requests: [{ ...request, expected }] };
}
