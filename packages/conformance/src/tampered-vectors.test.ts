import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ConformanceResult, runConformance } from "./run-conformance.js";
import {
  type AgentRegistrationFile,
  agentRegistrationFileSchema,
} from "./schema/agent-registration-file.js";
import { type AssertionsFile, assertionsFileSchema } from "./schema/assertions-file.js";
import { type CallerTokenFile, callerTokenFileSchema } from "./schema/caller-token-file.js";
import { type CodexCaptureFile, codexCaptureFileSchema } from "./schema/codex-capture-file.js";
import { type KeysFile, keysFileSchema } from "./schema/keys-file.js";
import {
  type PlainTaskRegistrationFile,
  plainTaskRegistrationFileSchema,
} from "./schema/plain-task-registration-file.js";
import {
  type TaskRegistrationFile,
  taskRegistrationFileSchema,
} from "./schema/task-registration-file.js";
import { VECTORS_DIRECTORY } from "./vectors-directory.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "countersign-conformance-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function packaged(file: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(file, VECTORS_DIRECTORY), "utf8"));
}

async function failures(): Promise<readonly ConformanceResult[]> {
  const { passed, failed, results } = await runConformance(directory);
  const failing = results.filter((result) => !result.passed);
  expect(failing).toHaveLength(failed);
  expect(passed + failed).toBe(results.length);
  return failing;
}

describe("a vector that was tampered with", () => {
  type Case<File> = [name: string, mutate: (file: File) => void, failing: string, times?: number];

  function cases<File>(
    source: string,
    schema: { parse(value: unknown): File },
    table: readonly Case<File>[],
  ) {
    test.each(table)(`of ${source} fails: %s`, async (_name, mutate, failing, times = 1) => {
      const file = schema.parse(await packaged(source));
      mutate(file);
      await writeFile(join(directory, source), JSON.stringify(file));
      const failed = await failures();
      expect(failed).toHaveLength(times);
      expect(failed[0]?.file).toBe(source);
      expect(failed[0]?.name).toContain(failing);
      expect(failed[0]?.actual).not.toBe(failed[0]?.expected);
    });
  }

  // The first element of a list that is known to have some.
  function first<T>(list: readonly T[], index = 0): T {
    const element = list[index];
    if (element === undefined) throw new Error("no such vector");
    return element;
  }
  const flipHex = (text: string) => (text.startsWith("0") ? "1" : "0") + text.slice(1);

  cases<KeysFile>("keys.json", keysFileSchema, [
    [
      "another public key",
      (f) => (first(f.valid).ssh_public_key = first(f.valid, 2).ssh_public_key),
      "key a, PKCS#8 v1",
    ],
    [
      "another X25519 public key",
      (f) => (first(f.valid).x25519_public_key_hex = flipHex(first(f.valid).x25519_public_key_hex)),
      "key a, PKCS#8 v1",
    ],
    [
      "another X25519 private key",
      (f) =>
        (first(f.valid).x25519_private_key_hex = flipHex(first(f.valid).x25519_private_key_hex)),
      "key a, PKCS#8 v1",
    ],
    [
      "a private key with a character too many",
      (f) => (first(f.valid, 1).private_key_pkcs8_base64 += "A"),
      "key a, PKCS#8 v2",
    ],
    [
      "a good key among the invalid",
      (f) => (first(f.invalid).private_key_pkcs8_base64 = first(f.valid).private_key_pkcs8_base64),
      "empty string",
    ],
    ["another canonical line", (f) => (first(f.valid_public).canonical += " "), "with a comment"],
    [
      "a good line among the invalid",
      (f) => (first(f.invalid_public).ssh_public_key = first(f.valid).ssh_public_key),
      "identity",
    ],
  ]);

  cases<AgentRegistrationFile>("agent-registration.json", agentRegistrationFileSchema, [
    ["another id", (f) => (first(f.valid).agent_runtime_id = "agent-2"), "valid 1"],
    [
      "an answer whose id is not valid",
      (f) => (first(f.valid).body = { agent_runtime_id: "a:b" }),
      "valid 1",
    ],
    [
      "a good answer among the invalid",
      (f) => (first(f.invalid).body = { agent_runtime_id: "a" }),
      "invalid 1",
    ],
    [
      "a good answer whose id is the code of the refusal",
      (f) => (first(f.invalid).body = { agent_runtime_id: "bad_response" }),
      "invalid 1",
    ],
    [
      "a bad answer where the code of the refusal is the id expected",
      (f) => {
        first(f.valid).body = {};
        first(f.valid).agent_runtime_id = "bad_response";
      },
      "valid 1",
    ],
  ]);

  cases<TaskRegistrationFile>("task-registration.json", taskRegistrationFileSchema, [
    ["another signed text", (f) => (first(f.requests).signed_text += "Z"), "requests 1"],
    ["another time", (f) => (first(f.requests).timestamp = "2026-04-15T17:08:10Z"), "requests 1"],
    [
      "another agent",
      (f) => (first(f.requests).agent_runtime_id = "agent-runtime-2"),
      "requests 1",
    ],
    [
      "another signature",
      (f) => (first(f.requests).signature = first(f.requests, 1).signature),
      "requests 1",
    ],
    [
      "another key",
      (f) =>
        (first(f.requests).private_key_pkcs8_base64 = first(
          f.requests,
          1,
        ).private_key_pkcs8_base64),
      "requests 1",
    ],
    ["another task id", (f) => (first(f.responses).task_id = "task-2"), "plaintext, snake case"],
    [
      "a box for another key",
      (f) =>
        (first(f.responses, 2).private_key_pkcs8_base64 = first(
          f.responses,
          3,
        ).private_key_pkcs8_base64),
      "sealed, snake case",
    ],
    [
      "a good answer among the invalid",
      (f) => (first(f.invalid_responses).body = { task_id: "task-1" }),
      "no task id at all",
    ],
    [
      "an invalid answer under an empty private key",
      (f) => (first(f.invalid_responses).private_key_pkcs8_base64 = ""),
      "no task id at all",
    ],
  ]);

  cases<AssertionsFile>("assertions.json", assertionsFileSchema, [
    ["another byte to build", (f) => (first(f.build).authorization += "A"), "build 1"],
    [
      "another scheme case to build",
      (f) => (first(f.build).authorization = first(f.build).authorization.replace("A", "a")),
      "build 1",
    ],
    [
      "another time to build",
      (f) => (first(f.build).timestamp = "2026-04-15T17:08:10Z"),
      "build 1",
    ],
    ["an id that may not be signed", (f) => (first(f.build).task_id = "a:b"), "build 1"],
    [
      "a bad one among the good",
      (f) => (first(f.accept).authorization = "AgentAssertion ***"),
      "exact",
    ],
    ["none among the good", (f) => (first(f.accept).authorization = null), "exact"],
    [
      "two fields among the good",
      (f) => (first(f.accept).authorization = [String(first(f.accept).authorization), "Bearer x"]),
      "exact",
    ],
    [
      "a good one among the bad",
      (f) => (first(f.reject).authorization = first(f.accept).authorization),
      "no header",
    ],
    ["another code", (f) => (first(f.reject).code = "malformed"), "no header"],
    [
      "a code that reads like an acceptance",
      (f) => (first(f.reject).code = '{"accepted":true}'),
      "no header",
    ],
    ["a smaller skew", (f) => (f.max_skew_seconds = 299), "300 s old", 2],
    ["a larger skew", (f) => (f.max_skew_seconds = 301), "301 s old", 4],
    ["a revoked agent", (f) => (first(f.agents, 1).revoked = true), "second agent"],
    [
      "a live agent that was revoked",
      (f) => (first(f.agents, 2).revoked = false),
      "revoked agent",
      2,
    ],
    ["a live task that was revoked", (f) => (first(f.tasks, 1).revoked = false), "revoked task"],
    ["a task that is gone", (f) => void f.tasks.splice(2, 1), "second agent"],
  ]);

  cases<PlainTaskRegistrationFile>(
    "plain-task-registration.json",
    plainTaskRegistrationFileSchema,
    [
      ["another authority", (f) => (first(f.build).authority += "/x"), "with an Idempotency-Key"],
      ["another Idempotency-Key", (f) => (first(f.check).idempotency_key = "x"), "good"],
      ["no Idempotency-Key", (f) => (first(f.check).idempotency_key = undefined), "good"],
      ["another key", (f) => first(f.check, 1).public_keys.pop(), "the other key"],
      [
        "a sealed one for a plain one",
        (f) => (first(f.check).body = first(f.check, 4).body),
        "good",
      ],
    ],
  );

  cases<CallerTokenFile>("caller-token.json", callerTokenFileSchema, [
    ["a good one among the bad", (f) => (first(f.reject).token = first(f.accept).token), "empty"],
    ["a bad one among the good", (f) => (first(f.accept).token = first(f.reject).token), "a good"],
    [
      "other capabilities",
      (f) => (first(f.accept).capabilities = [first(f.accept).capabilities.join()]),
      "a good one",
    ],
    ["a smaller tolerance", (f) => (f.clock_tolerance_seconds = 9), "ended 9 s ago", 3],
    ["a larger tolerance", (f) => (f.clock_tolerance_seconds = 11), "ended 10 s ago", 4],
    ["a set of one key", (f) => void f.key_set.keys.pop(), "the other key of the set"],
    ["another audience", (f) => (f.audience = "billing"), "a good one", 13],
    ["another issuer", (f) => (f.issuer = "other"), "a good one", 13],
  ]);

  const capture: readonly Case<CodexCaptureFile>[] = [
    ["another seed", (f) => (f.seed_hex = flipHex(f.seed_hex)), "key of the seed", 4],
    [
      "another public key",
      (f) => (f.public_key_hex = flipHex(f.public_key_hex)),
      "key of the seed",
    ],
    ["another line", (f) => (f.public_key_ssh += "A"), "private key, PKCS#8 v1", 2],
    [
      "a version 2 that is cut off",
      (f) => (f.pkcs8_v2_b64 = f.pkcs8_v2_b64.slice(0, -4)),
      "private key, PKCS#8 v2",
    ],
    ["another registration", (f) => (f.task_registration.payload += "Z"), "task registration"],
    [
      "another registration signature",
      (f) => (f.task_registration.signature = f.assertion.signature),
      "task registration",
    ],
    [
      "another assertion signature",
      (f) => (f.assertion.signature = f.task_registration.signature),
      "assertion",
    ],
    ["another header", (f) => (f.assertion.header = f.assertion.header.slice(0, -1)), "assertion"],
    [
      "another payload",
      (f) => (f.assertion.payload = f.assertion.payload.replace("123", "124")),
      "assertion",
    ],
    ["another plain text", (f) => (f.sealed_box_sample.plaintext = "task_124"), "sealed box"],
    ["another length", (f) => (f.sealed_box_sample.len = 57), "sealed box"],
    [
      "another box",
      (f) => (f.sealed_box_sample.b64 = `A${f.sealed_box_sample.b64.slice(1)}`),
      "sealed box",
    ],
    ["another derivation", (f) => (f.era_c_key_derivation.context += "x"), "seed derivation"],
  ];
  cases("codex-0.122.json", codexCaptureFileSchema, capture);
});
