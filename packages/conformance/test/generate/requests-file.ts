import { BINDING_CASES } from "./binding-cases.js";
import { BODY, makeRequest, NONCE, PUBLIC_URL } from "./bound-request.js";
import { FIELD_CASES } from "./field-cases.js";
import { POLICY_CASES } from "./policy-cases.js";
import { KEY_A, KEY_B, KEY_C, KEY_D, later, NOW } from "./vector-keys.js";

const agent = (id: string, keys: readonly { readonly line: string }[], more: object = {}) => ({
  agent_runtime_id: id,
  account_id: "acct-1",
  user_id: "user-1",
  capabilities: [] as readonly string[],
  agent_public_keys: keys.map(({ line }) => line),
  agent_state: "active",
  ...more,
});
const task = (agentId: string, id: string, more: object = {}) => ({
  agent_runtime_id: agentId,
  task_id: id,
  state: "active",
  ...more,
});

const AGENTS = [
  agent("agent-1", [KEY_A]),
  agent("agent-2", [KEY_D], { account_id: "acct-2" }),
  agent("agent-two-keys", [KEY_B, KEY_C]),
  agent("agent-held-to-binding", [KEY_A], { capabilities: ["binding", "search"] }),
  agent("agent-ends-now", [KEY_A], { expires_at: NOW }),
  agent("agent-ends-later", [KEY_A], { expires_at: later(NOW, 1) }),
  agent("agent-expired", [KEY_A], { agent_state: "expired" }),
  agent("agent-revoked", [KEY_A], { agent_state: "revoked", expires_at: NOW }),
];
const TASKS = [
  ...AGENTS.map(({ agent_runtime_id }) => task(agent_runtime_id, "task-1")),
  task("agent-1", "task-ends-now", { expires_at: NOW }),
  task("agent-1", "task-ends-later", { expires_at: later(NOW, 1) }),
  task("agent-1", "task-expired", { state: "expired" }),
  task("agent-1", "task-revoked", { state: "revoked", expires_at: NOW }),
];

function bindVector(name: string, target: string, changes: Parameters<typeof makeRequest>[0] = {}) {
  const { signed, authorization, digest, request } = makeRequest(changes);
  return {
    name,
    private_key_pkcs8_base64: (changes.key ?? KEY_A).pkcs8,
    agent_runtime_id: changes.agent ?? "agent-1",
    task_id: "task-1",
    authorization,
    method: request.method,
    target_uri: target,
    ...(request.body_base64 === undefined ? {} : { body_base64: request.body_base64 }),
    nonce: NONCE,
    ...(digest === null ? {} : { content_digest: digest }),
    signature_base: signed.base,
    signature_input: signed.signatureInput,
    signature: signed.signature,
  };
}

/** Requests with an assertion, bound and not: how a client signs them, and what a verifier answers. */
export const requestsFile = {
  form: "countersign.requests/1",
  description:
    "Requests as a verifier receives them. Each case begins with an empty store of nonces, and its requests come in their order. Fields are lines in the order received; body_base64 is absent where there is none. The verifier's clock stands at now, and its public URL is public_url. expected is accepted, or the code.",
  now: NOW,
  max_skew_seconds: 300,
  public_url: PUBLIC_URL,
  agents: AGENTS,
  tasks: TASKS,
  bind: [
    bindVector("a body", `${PUBLIC_URL}/v1/x?y`),
    bindVector("no body", `${PUBLIC_URL}/v1/x?y`, { method: "GET", body: null }),
    bindVector("a body without a byte", `${PUBLIC_URL}/v1/x?y`, { body: "" }),
    bindVector(
      "scheme and host in upper case, the default port, a fragment",
      "HTTPS://API.example:443/base/v1/x?y#z",
      { method: "GET", body: null },
    ),
    bindVector("a root without a path", "https://api.example?y", {
      method: "GET",
      body: null,
      root: "https://api.example",
      target: "/?y",
    }),
    bindVector("escapes and dots stay as they are sent", `${PUBLIC_URL}/a%2fB/../c?%7e`, {
      method: "GET",
      body: null,
      target: "/a%2fB/../c?%7e",
    }),
    bindVector("a method is not changed to upper case", `${PUBLIC_URL}/v1/x?y`, {
      method: "patch",
      body: BODY,
    }),
  ],
  cases: [...POLICY_CASES, ...BINDING_CASES, ...FIELD_CASES],
};
