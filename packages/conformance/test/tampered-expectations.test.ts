import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runConformance, VECTORS_DIRECTORY } from "../src/index.js";

type Vector = Record<string, unknown>;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "countersign-conformance-"));
});
afterEach(() => rm(directory, { recursive: true }));

const otherwise = (member: string) => (vector: Vector) => {
  vector[member] = vector[member] === "expired" ? "malformed" : "expired";
};
const otherNumber = (member: string) => (vector: Vector) => {
  vector[member] = Number(vector[member]) + 7;
};
const otherBody = (body: object) => (vector: Vector) => {
  vector.body = body;
};

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK7is39R+oFf9DLV5QXhJbisuix3KzlR6ZAEo8DMjGwB";
const ROTATED = {
  agent_runtime_id: "agent-1",
  agent_public_key: KEY,
  former_key_ends_at: null,
};
const RECORD = {
  agent_runtime_id: "agent-1",
  account_id: "a",
  user_id: "u",
  capabilities: [],
  agent_public_keys: [KEY],
  agent_state: "active",
};

// What each list expects, made to be something else. A vector whose expectation nothing compares would still pass.
const LISTS: readonly [file: string, list: string, change: (vector: Vector) => void][] = [
  ["answers.json", "human", (vector) => Object.assign(vector, { account_id: "x", user_id: "y" })],
  ["answers.json", "revocations", otherwise("agent_runtime_id")],
  ["answers.json", "biscuits", otherwise("biscuit")],
  ["answers.json", "exchanges", otherwise("code")],
  ["answers.json", "clocks", otherNumber("offset_seconds")],
  ["caller-token.json", "accept", otherwise("task_id")],
  ["derivations.json", "base_urls", otherwise("normalised")],
  ["derivations.json", "key_set_urls", otherwise("url")],
  ["derivations.json", "path_segments", otherwise("segment")],
  ["derivations.json", "idempotency_keys", otherwise("idempotency_key")],
  ["directory.json", "valid", otherwise("agent_state")],
  ["directory.json", "invalid", otherBody(RECORD)],
  ["identity-jwt.json", "accept", otherwise("user_id")],
  ["identity-jwt.json", "reject", otherwise("code")],
  ["key-rotation.json", "build", otherwise("signed_text")],
  ["key-rotation.json", "check", otherwise("expected")],
  ["key-rotation.json", "valid", otherwise("agent_runtime_id")],
  ["key-rotation.json", "invalid", otherBody(ROTATED)],
  ["more-agent-registration.json", "valid", otherwise("agent_runtime_id")],
  ["more-agent-registration.json", "invalid", otherBody({ agent_runtime_id: "agent-1" })],
  ["more-assertions.json", "reject", otherwise("code")],
  ["more-task-registration.json", "responses", otherwise("task_id")],
  ["more-task-registration.json", "invalid_responses", otherBody({ task_id: "task-1" })],
  ["own-end.json", "build", otherwise("signed_text")],
  ["own-end.json", "check", otherwise("expected")],
  ["plain-task-registration.json", "build", otherwise("signed_text")],
  ["plain-task-registration.json", "check", otherwise("expected")],
  ["refusals.json", "answers", otherwise("code")],
  ["refusals.json", "statuses", otherwise("code")],
  ["refusals.json", "sent", otherwise("error_type")],
  ["registration-proof.json", "sign", otherwise("signature")],
  ["registration-proof.json", "check", otherwise("expected")],
  ["registration-requests.json", "agents", otherwise("code")],
  ["registration-requests.json", "tasks", otherwise("expected")],
  ["requests.json", "bind", otherwise("signature")],
  [
    "requests.json",
    "cases",
    ({ requests }) => {
      for (const request of requests as Vector[]) otherwise("expected")(request);
    },
  ],
];

test.each(LISTS)(
  "every vector of %s, %s fails if it expects something else",
  async (file, list, change) => {
    const content = JSON.parse(await readFile(new URL(file, VECTORS_DIRECTORY), "utf8"));
    const vectors: Vector[] = content[list];
    // A state of expired is what some records have, and what the change would leave.
    const changed = vectors.filter((vector) => vector.agent_state !== "expired");
    for (const vector of changed) change(vector);
    await writeFile(join(directory, file), JSON.stringify(content));
    const { results } = await runConformance(directory);
    const failed = results.filter(({ passed }) => !passed);
    expect(changed.length).toBeGreaterThan(0);
    expect(failed).toHaveLength(changed.length);
    expect(failed.every(({ name }) => name.startsWith(list))).toBe(true);
  },
);
