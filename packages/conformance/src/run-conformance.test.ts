import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CountersignError } from "@countersign/agent-key";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConformanceError } from "./conformance-error.js";
import { type ConformanceResult, runConformance } from "./run-conformance.js";
import { assertionsFileSchema } from "./schema/assertions-file.js";
import { keysFileSchema } from "./schema/keys-file.js";
import { VECTORS_DIRECTORY } from "./vectors-directory.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "countersign-conformance-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function packaged(file: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(file, VECTORS_DIRECTORY), "utf8"));
}

function write(file: string, content: unknown): Promise<void> {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return writeFile(join(directory, file), text);
}

async function refusal(run: Promise<unknown>): Promise<ConformanceError> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!ConformanceError.is(error)) throw new Error("no ConformanceError", { cause: error });
  expect(CountersignError.is(error)).toBe(true);
  expect(error.code).toBe("config_invalid");
  expect(error.hint).toBeTruthy();
  return error;
}

const registration = (lists: object) => ({ form: "countersign.agent-registration/1", ...lists });
const valid = { body: { agent_runtime_id: "agent-1" }, agent_runtime_id: "agent-1" };

describe("what cannot be run", () => {
  test("rejects wrong arguments, naming them", async () => {
    for (const directory of [undefined, "", 7, { directory: "vectors" }]) {
      const { message } = await refusal(runConformance(directory as unknown as string));
      expect(message).toMatch(/^directory must/);
    }
    const wrong = runConformance(directory, { onResult: true } as never);
    expect((await refusal(wrong)).message).toMatch(/^onResult must/);
  });

  test("rejects a directory that is not there, is a file, or is empty", async () => {
    await write("file", "x");
    expect((await refusal(runConformance(join(directory, "none")))).message).toContain("ENOENT");
    expect((await refusal(runConformance(join(directory, "file")))).message).toContain("ENOTDIR");
    expect((await refusal(runConformance(directory))).message).toContain("holds no vectors");
  });

  test("rejects a directory whose files hold no vectors", async () => {
    await write("README.md", "no vectors");
    await mkdir(join(directory, "deeper"));
    await writeFile(
      join(directory, "deeper", "a.json"),
      JSON.stringify(registration({ valid: [valid] })),
    );
    await write("a.json", registration({}));
    await write("b.json", { form: "countersign.keys/1", valid: [] });
    expect((await refusal(runConformance(directory))).message).toContain("holds no vectors");
  });

  test.each<[string, unknown, string]>([
    ["no JSON", "{", "is not JSON"],
    ["nothing", "", "is not JSON"],
    ["null", "null", "no member form"],
    ["an array", [registration({ valid: [valid] })], "no member form"],
    ["no form", { valid: [valid] }, "no member form"],
    ["a form that is no text", { form: 1 }, "no member form"],
    ["an inherited form", '{"__proto__": {"form": "countersign.keys/1"}}', "no member form"],
    ["an unknown form", { form: "countersign.keys/2" }, 'unknown form "countersign.keys/2"'],
    ["a form named like a method", { form: "constructor" }, 'unknown form "constructor"'],
    ["an unknown list", registration({ valid: [valid], valide: [valid] }), "valide"],
    ["a list that is an object", registration({ valid: { 0: valid } }), "valid: "],
    [
      "a vector without its answer",
      registration({ valid: [{ body: {} }] }),
      "valid.0.agent_runtime_id",
    ],
    ["a vector without its question", registration({ invalid: [{}] }), "invalid.0.body"],
    ["a vector with more than is checked", registration({ valid: [{ ...valid, ttl: 1 }] }), "ttl"],
    ["half a capture", { form: "countersign.codex-capture/1" }, "seed_hex"],
    [
      "a clock that is no timestamp",
      { form: "countersign.assertions/1", now: "today", max_skew_seconds: 300, accept: [] },
      "not a timestamp",
    ],
    [
      "a known agent without a sound key",
      {
        form: "countersign.assertions/1",
        now: "2026-04-15T17:08:09Z",
        max_skew_seconds: 300,
        agents: [{ agent_runtime_id: "agent-1", ssh_public_key: "ssh-ed25519 AAAA" }],
      },
      "not an OpenSSH line",
    ],
  ])("rejects a file with %s, naming it, before any vector runs", async (_name, content, text) => {
    await write("a.json", registration({ valid: [valid] }));
    await write("b.json", content);
    const seen: unknown[] = [];
    const onResult = (result: unknown) => seen.push(result);
    const { message } = await refusal(runConformance(directory, { onResult }));
    expect(message).toMatch(/^b\.json: /);
    expect(message).toContain(text);
    expect(seen).toEqual([]);
  });

  test("rejects a file that is no text, too large, a directory or a broken link", async () => {
    const good = join(directory, "good.json");
    await writeFile(good, JSON.stringify(registration({ valid: [valid] })));
    const bad = join(directory, "bad.json");
    const named = JSON.stringify(registration({ valid: [{ ...valid, name: "?" }] }));
    await writeFile(bad, Buffer.from(named.replace("?", "\u00ff"), "latin1"));
    await refusal(runConformance(directory));
    await writeFile(bad, " ".repeat(16 * 1024 * 1024 + 1));
    expect((await refusal(runConformance(directory))).message).toContain("16 MiB");
    await rm(bad);
    await mkdir(bad);
    expect((await refusal(runConformance(directory))).message).toContain("bad.json cannot be read");
    await rm(bad, { recursive: true });
    await symlink(join(directory, "nowhere"), bad);
    expect((await refusal(runConformance(directory))).message).toContain("ENOENT");
    await rm(bad);
    expect(await runConformance(directory)).toMatchObject({ passed: 1, failed: 0 });
  });

  test("rejects a file that no engine can take", async () => {
    const body = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    await write(
      "deep.json",
      `{"form":"countersign.agent-registration/1","invalid":[{"body":${body}}]}`,
    );
    expect((await refusal(runConformance(directory))).message).toMatch(/^deep\.json: /);
  });

  test("never repeats the content of a file that is no JSON", async () => {
    await write("a.json", '{"private_key_pkcs8_base64": "MC4CAQAwBQYDK2VwBCIEIKwAuZFI" oops}');
    let error: unknown = await refusal(runConformance(directory));
    while (error instanceof Error) {
      expect(error.message).not.toContain("MC4CAQ");
      error = error.cause;
    }
  });

  test("prints names of files and forms without control characters", async () => {
    await write("\u001b[31m.json", { form: "\u001b]0;x\u0007\u202e" });
    const { message } = await refusal(runConformance(directory));
    expect(message).toBe('\\u001b[31m.json: unknown form "\\u001b]0;x\\u0007\\u202e"');
  });
});

describe("the packaged vectors", () => {
  test("pass, each of them", async () => {
    const seen: ConformanceResult[] = [];
    const report = await runConformance(VECTORS_DIRECTORY, { onResult: (r) => seen.push(r) });
    expect(report.results.filter((result) => !result.passed)).toEqual([]);
    expect(report).toMatchObject({ passed: 1131, failed: 0 });
    expect(seen).toEqual(report.results);
    expect([...new Set(seen.map(({ file }) => file))]).toEqual([
      "agent-registration.json",
      "answers.json",
      "assertions.json",
      "caller-token.json",
      "codex-0.122.json",
      "derivations.json",
      "directory.json",
      "identity-jwt.json",
      "key-rotation.json",
      "keys.json",
      "more-agent-registration.json",
      "more-assertions.json",
      "more-keys.json",
      "more-task-registration.json",
      "own-end.json",
      "plain-task-registration.json",
      "refusals.json",
      "registration-proof.json",
      "registration-requests.json",
      "requests.json",
      "task-registration.json",
    ]);
  });

  test("give the same results by path and by URL, each time", async () => {
    const first = await runConformance(VECTORS_DIRECTORY);
    expect(await runConformance(VECTORS_DIRECTORY.pathname)).toEqual(first);
    expect(await runConformance(pathToFileURL(VECTORS_DIRECTORY.pathname))).toEqual(first);
  });
});

describe("results", () => {
  test("hand a body on as it is, with a member __proto__ too", async () => {
    await write(
      "a.json",
      '{"form":"countersign.agent-registration/1","invalid":[{"body":{"__proto__":{"agent_runtime_id":"a"}}}]}',
    );
    expect(await runConformance(directory)).toMatchObject({ passed: 1, failed: 0 });
  });

  test("show where long texts begin to differ", async () => {
    const file = assertionsFileSchema.parse(await packaged("assertions.json"));
    const long = file.build[3];
    if (long === undefined) throw new Error("no such vector");
    long.authorization = `${long.authorization.slice(0, -1)}!`;
    await write("a.json", file);
    const { results } = await runConformance(directory);
    const failed = results.find((result) => !result.passed);
    expect(failed?.expected).toMatch(/^….{200}!$/);
    expect(failed?.actual).toMatch(/^….{200}[^!]$/);
  });

  test("show no private key", async () => {
    const file = keysFileSchema.parse(await packaged("keys.json"));
    await write("a.json", file);
    const text = JSON.stringify(await runConformance(directory));
    for (const vector of file.valid) {
      expect(text).not.toContain(vector.private_key_pkcs8_base64);
      expect(text).not.toContain(vector.x25519_private_key_hex);
    }
  });

  test("are safe to print", async () => {
    await write("a.json", registration({ valid: [{ ...valid, name: "\u001b[31m\u202e" }] }));
    const { results } = await runConformance(directory);
    expect(results[0]?.name).toBe("valid: \\u001b[31m\\u202e");
  });
});
