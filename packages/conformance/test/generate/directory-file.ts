import { KEY_A, KEY_B } from "./vector-keys.js";

const RECORD = {
  agent_runtime_id: "agent-1",
  account_id: "acct-1",
  user_id: "user-1",
  capabilities: ["search"],
  agent_public_keys: [KEY_A.line],
  agent_state: "active",
};
const TASK = { task_id: "task-1", state: "active" };
const record = (more: object = {}) => ({ ...RECORD, ...more });
const valid = (name: string, body: object, read: object = {}) => ({
  name,
  body,
  agent_state: "active",
  public_keys: [KEY_A.line],
  task_state: null,
  ...read,
});
const invalid = (name: string, more: object) => ({ name, body: record(more) });
const ABOUT_TASK = { agent_runtime_id: "agent-1", task_id: "task-1" };
const about = (name: string, more: object, requested: object = ABOUT_TASK) => ({
  ...invalid(name, more),
  requested,
});

/** Answers of the directory. */
export const directoryFile = {
  form: "countersign.directory/1",
  description:
    "GET {base}/v1/agent/{agent_runtime_id} and …/task/{task_id}: what an answer says, and answers that decide nothing (bad_response). requested, where it is there, is what the verifier asked for.",
  valid: [
    valid("an agent", record()),
    valid("task null", record({ task: null })),
    valid("a task", record({ task: TASK }), { task_state: "active" }),
    valid("two keys, the newest first", record({ agent_public_keys: [KEY_B.line, KEY_A.line] }), {
      public_keys: [KEY_B.line, KEY_A.line],
    }),
    valid(
      "ends of life",
      record({
        expires_at: "2026-04-15T17:08:09Z",
        task: { ...TASK, expires_at: "2026-04-15T17:08:09Z" },
      }),
      { task_state: "active" },
    ),
    valid(
      "a revoked agent and task",
      record({ agent_state: "revoked", task: { ...TASK, state: "revoked" } }),
      {
        agent_state: "revoked",
        task_state: "revoked",
      },
    ),
    valid("an expired agent", record({ agent_state: "expired" }), { agent_state: "expired" }),
    {
      ...valid("what was asked for", record({ task: TASK })),
      requested: ABOUT_TASK,
      task_state: "active",
    },
    { ...valid("no task of this id", record({ task: null })), requested: ABOUT_TASK },
    {
      ...valid("a task that was not asked for", record({ task: TASK })),
      requested: { agent_runtime_id: "agent-1" },
    },
    valid(
      "256 capabilities",
      record({ capabilities: Array.from({ length: 256 }, (_, i) => `c${i}`) }),
    ),
    valid(
      "capabilities of 256 characters",
      record({ capabilities: ["c".repeat(256), "\u{1f600}".repeat(256)] }),
    ),
    valid("no capabilities", record({ capabilities: [] })),
    valid("unknown members", record({ extra: 1, task: { ...TASK, extra: 1 } }), {
      task_state: "active",
    }),
  ],
  invalid: [
    invalid("an unknown agent_state", { agent_state: "suspended" }),
    invalid("agent_state in upper case", { agent_state: "ACTIVE" }),
    invalid("no agent_state", { agent_state: undefined }),
    invalid("an unknown state of the task", { task: { ...TASK, state: "suspended" } }),
    invalid("no state of the task", { task: { task_id: "task-1" } }),
    invalid("no key", { agent_public_keys: [] }),
    invalid("nine keys", { agent_public_keys: Array.from({ length: 9 }, () => KEY_A.line) }),
    invalid("a key that is not one", { agent_public_keys: ["ssh-ed25519 AAAA"] }),
    invalid("a key as a text", { agent_public_keys: KEY_A.line }),
    invalid("an agent id that is not one", { agent_runtime_id: "a:b" }),
    invalid("a task id that is not one", { task: { ...TASK, task_id: "a/b" } }),
    invalid("no account", { account_id: undefined }),
    invalid("an end with a fraction", { expires_at: "2026-04-15T17:08:09.5Z" }),
    invalid("an end that is not an instant", { expires_at: "2026-02-30T00:00:00Z" }),
    invalid("capabilities that are not texts", { capabilities: [1] }),
    about("another agent", { agent_runtime_id: "agent-2", task: TASK }),
    about(
      "another agent, in an answer about no task",
      { agent_runtime_id: "agent-2" },
      {
        agent_runtime_id: "agent-1",
      },
    ),
    about("another task", { task: { ...TASK, task_id: "task-2" } }),
    about("the task in other letters", { task: { ...TASK, task_id: "Task-1" } }),
    invalid("257 capabilities", { capabilities: Array.from({ length: 257 }, (_, i) => `c${i}`) }),
    invalid("a capability of 257 characters", { capabilities: ["c".repeat(257)] }),
    invalid("an empty capability", { capabilities: [""] }),
    invalid("no capabilities member", { capabilities: undefined }),
    invalid("no user", { user_id: undefined }),
    invalid("a user id with a space", { user_id: "a b" }),
    invalid("a second key that is not one", {
      agent_public_keys: [KEY_A.line, "ssh-ed25519 AAAA"],
    }),
    invalid("null as the end", { expires_at: null }),
    invalid("null as the end of the task", { task: { ...TASK, expires_at: null } }),
    invalid("a task's end with a fraction", {
      task: { ...TASK, expires_at: "2026-04-15T17:08:09.5Z" },
    }),
    invalid("false as the task", { task: false }),
    { name: "a list", body: [] },
    { name: "null", body: null },
  ],
};
