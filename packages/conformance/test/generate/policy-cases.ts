import { makeRequest, type ReceivedRequest } from "./bound-request.js";
import { type CasePolicy, oneRequest, type RequestCase } from "./request-case.js";
import {
  authorizationOf,
  KEY_A,
  KEY_B,
  KEY_C,
  KEY_D,
  later,
  NOW,
  type VectorKey,
} from "./vector-keys.js";

const OFF: CasePolicy = { binding: "off" };

function get(...authorizations: readonly string[]): ReceivedRequest {
  return {
    method: "GET",
    target: "/v1/x",
    fields: authorizations.map((value) => ["Authorization", value] as const),
  };
}

function unbound(
  name: string,
  key: VectorKey,
  agent: string,
  task: string,
  expected: string,
  policy = OFF,
): RequestCase {
  return oneRequest(name, get(authorizationOf(key, agent, task)), expected, policy);
}

const GOOD = authorizationOf(KEY_A, "agent-1", "task-1");

/** Checks 1 to 7 beyond what one assertion alone can show: several fields, keys, ends of life, policy. */
export const POLICY_CASES: readonly RequestCase[] = [
  oneRequest("one Authorization field", get(GOOD), "accepted", OFF),
  oneRequest("no Authorization field", get(), "missing", OFF),
  oneRequest("two equal Authorization fields", get(GOOD, GOOD), "malformed", OFF),
  oneRequest("an assertion, then a bearer", get(GOOD, "Bearer x"), "malformed", OFF),
  oneRequest("a bearer, then an assertion", get("Bearer x", GOOD), "malformed", OFF),

  unbound("the newest of two keys", KEY_B, "agent-two-keys", "task-1", "accepted"),
  unbound("the other of two keys", KEY_C, "agent-two-keys", "task-1", "accepted"),
  unbound("neither of two keys", KEY_A, "agent-two-keys", "task-1", "bad_signature"),

  unbound("an agent that ends now", KEY_A, "agent-ends-now", "task-1", "agent_expired"),
  unbound("an agent that ends in a second", KEY_A, "agent-ends-later", "task-1", "accepted"),
  unbound("an agent whose state is expired", KEY_A, "agent-expired", "task-1", "agent_expired"),
  unbound("a revoked agent that has ended too", KEY_A, "agent-revoked", "task-1", "agent_revoked"),
  unbound("a task that ends now", KEY_A, "agent-1", "task-ends-now", "task_expired"),
  unbound("a task that ends in a second", KEY_A, "agent-1", "task-ends-later", "accepted"),
  unbound("a task whose state is expired", KEY_A, "agent-1", "task-expired", "task_expired"),
  unbound("a revoked task that has ended too", KEY_A, "agent-1", "task-revoked", "task_revoked"),
  unbound("order: expired agent before unknown task", KEY_A, "agent-expired", "x", "agent_expired"),

  unbound("an account that is served", KEY_A, "agent-1", "task-1", "accepted", {
    ...OFF,
    accounts: ["acct-2", "acct-1"],
  }),
  unbound("an account that is not served", KEY_A, "agent-1", "task-1", "forbidden", {
    ...OFF,
    accounts: ["acct-2"],
  }),
  unbound("a verifier that serves no account", KEY_A, "agent-1", "task-1", "forbidden", {
    ...OFF,
    accounts: [],
  }),
  unbound("a capability that was granted", KEY_A, "agent-held-to-binding", "task-1", "accepted", {
    ...OFF,
    capability: "search",
  }),
  unbound("a capability that was not granted", KEY_A, "agent-1", "task-1", "forbidden", {
    ...OFF,
    capability: "search",
  }),
  unbound("order: expired task before account", KEY_A, "agent-1", "task-ends-now", "task_expired", {
    ...OFF,
    accounts: [],
  }),
  oneRequest("order: account before binding", get(GOOD), "forbidden", {
    binding: "require",
    accounts: [],
  }),
  oneRequest(
    "order: time before binding",
    get(authorizationOf(KEY_A, "agent-1", "task-1", later(NOW, -301))),
    "expired",
    { binding: "require" },
  ),
  oneRequest(
    "order: unknown task before a broken binding",
    makeRequest({ task: "none", signed: { "@method": "GET" } }).request,
    "unknown_task",
  ),

  oneRequest("off: no binding", get(GOOD), "accepted", OFF),
  oneRequest(
    "off: a broken binding is not looked at",
    makeRequest({ signed: { "@method": "GET" } }).request,
    "accepted",
    OFF,
  ),
  oneRequest("accept: no binding", get(GOOD), "accepted", { binding: "accept" }),
  oneRequest("accept: a good binding", makeRequest().request, "accepted", { binding: "accept" }),
  oneRequest(
    "accept: a broken binding is not an absent one",
    makeRequest({ signed: { "@method": "GET" } }).request,
    "binding_mismatch",
    { binding: "accept" },
  ),
  oneRequest(
    "accept: no binding, by an agent with the capability binding",
    get(authorizationOf(KEY_A, "agent-held-to-binding", "task-1")),
    "binding_required",
    { binding: "accept" },
  ),
  oneRequest("require: no binding", get(GOOD), "binding_required"),
  oneRequest(
    "require: another account, bound",
    makeRequest({ key: KEY_D, agent: "agent-2" }).request,
    "accepted",
  ),
];
