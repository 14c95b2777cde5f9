import { makeRequest, type ReceivedRequest, withField } from "./bound-request.js";
import type { RequestCase } from "./request-case.js";
import { KEY_D, later, NOW } from "./vector-keys.js";

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

const NOW_MS = Date.parse(NOW);
const at = (request: ReceivedRequest, seconds: number, ms = 0): ReceivedRequest => ({
  ...request,
  now_ms: NOW_MS + seconds * 1000 + ms,
});
const early = makeRequest({ timestamp: later(NOW, 300) }).request;
const earlier = makeRequest({ timestamp: later(NOW, 1) }).request;
const otherTask = makeRequest({ task: "task-ends-later" }).request;

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
  inOrder("the same nonce in another task", [good, "accepted"], [otherTask, "replayed"]),
  inOrder("the same nonce at another time", [good, "accepted"], [earlier, "replayed"]),
  inOrder(
    "the same nonce on other bytes of a header",
    [good, "accepted"],
    [withField(good, "Signature", (value) => ` ${value}`), "replayed"],
  ),
  inOrder(
    "kept up to the last instant of the assertion",
    [good, "accepted"],
    [at(good, 300), "replayed"],
    [at(good, 300, 1), "expired"],
  ),
  inOrder(
    "kept for an assertion from a clock that is ahead",
    [early, "accepted"],
    [at(early, 301), "replayed"],
    [at(early, 600), "replayed"],
    [at(early, 600, 1), "expired"],
  ),
  inOrder(
    "kept for the earlier of two times, another request",
    [early, "accepted"],
    [at(makeRequest({ timestamp: later(NOW, 599) }).request, 400), "replayed"],
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
