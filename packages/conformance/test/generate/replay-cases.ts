import { makeRequest, type ReceivedRequest } from "./bound-request.js";
import type { RequestCase } from "./request-case.js";
import { KEY_D } from "./vector-keys.js";

function inOrder(
  name: string,
  ...requests: readonly (readonly [request: ReceivedRequest, expected: string])[]
): RequestCase {
  return {
    name: `replay: ${name}`,
    policy: { binding: "require" },
    requests: requests.map(([request, expected]) => ({ ...request, expected })),
  };
}

const good = makeRequest().request;
const other = makeRequest({ method: "GET", body: null }).request;

/** Check 8: which of several requests are replays. */
export const REPLAY_CASES: readonly RequestCase[] = [
  inOrder("the same request twice", [good, "accepted"], [good, "replayed"]),
  inOrder("the same nonce for another request", [good, "accepted"], [other, "replayed"]),
  inOrder(
    "another nonce",
    [good, "accepted"],
    [makeRequest({ nonce: "another-nonce-of-22-ch" }).request, "accepted"],
  ),
  inOrder(
    "the same nonce of another agent",
    [good, "accepted"],
    [makeRequest({ key: KEY_D, agent: "agent-2" }).request, "accepted"],
  ),
  inOrder(
    "a mismatch spends nothing",
    [makeRequest({ signed: { "@method": "GET" } }).request, "binding_mismatch"],
    [good, "accepted"],
  ),
  inOrder(
    "another body spends nothing",
    [{ ...good, body_base64: "e30=" }, "binding_mismatch"],
    [good, "accepted"],
  ),
];
