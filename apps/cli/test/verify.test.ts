import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startTestAuthority, temporaryDirectory } from "@countersign/testing";
import { afterAll, describe, expect, test } from "vitest";
import { countersign, expectError, json, output } from "./command-line.js";

const VECTORS = fileURLToPath(new URL("../../../packages/conformance/vectors/", import.meta.url));
const KEYS = join(VECTORS, "assertions.json");
const vectors: {
  readonly now: string;
  readonly build: readonly { readonly authorization: string }[];
  readonly agents: readonly {
    readonly agent_runtime_id: string;
    readonly ssh_public_key: string;
  }[];
} = JSON.parse(await readFile(KEYS, "utf8"));
const VALID = vectors.build[0]?.authorization ?? "";

const folder = await temporaryDirectory();
const options = { home: join(folder.path, "home") };
afterAll(() => folder.remove());

const verify = (header: string, args: readonly string[] = []) =>
  countersign(["verify", "-", "--keys", KEYS, "--now", vectors.now, ...args], {
    ...options,
    input: header,
  });

describe("what is no valid assertion is its code, exit 4", () => {
  test.each([
    { what: "nothing", header: "", code: "missing" },
    { what: "a human's token", header: "Bearer t0ken", code: "missing" },
    { what: "a scheme alone", header: "AgentAssertion", code: "malformed" },
    { what: "no base64url", header: "AgentAssertion ***", code: "malformed" },
    { what: "control characters", header: "AgentAssertion \u001b[2J", code: "malformed" },
    { what: "a truncated assertion", header: VALID.slice(0, -8), code: "malformed" },
    { what: "two lines", header: `${VALID}\n${VALID}`, code: "malformed" },
  ])("rejects $what", async ({ header, code }) => {
    expectError(await verify(header), code, 4);
  });

  test("rejects one that is too old, and one that is too new", async () => {
    expectError(await verify(VALID, ["--now", "2026-04-15T18:08:09Z"]), "expired", 4);
    expectError(await verify(VALID, ["--now", "2026-04-15T16:08:09Z"]), "not_yet_valid", 4);
  });

  test("with --json the code is in a document on stdout", async () => {
    const result = await verify("AgentAssertion ***", ["--json"]);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: "malformed" } });
  });
});

test("what the authority says is printed with control and bidirectional characters escaped (G-H9)", async () => {
  await using authority = await startTestAuthority();
  const members = JSON.parse(
    Buffer.from(VALID.slice("AgentAssertion ".length), "base64url").toString("utf8"),
  );
  const { agent_runtime_id, task_id } = members;
  const agent = vectors.agents.find((it) => it.agent_runtime_id === agent_runtime_id);
  const capabilities = ["\u001b[2J\u009b31m\u202enimda\u2028"];
  const body = {
    agent_runtime_id,
    account_id: "acct-1",
    user_id: "user-1",
    capabilities,
    agent_public_keys: [agent?.ssh_public_key],
    agent_state: "active",
    task: { task_id, state: "active" },
  };
  authority.fault("directory", { kind: "answer", body }, 4);
  const args = ["verify", "-", "--authority", authority.url, "--now", vectors.now];
  const text = await output(args, { ...options, input: VALID });
  expect(text).toContain("\\u001b[2J\\u009b31m\\u202enimda\\u2028");
  const document = await output([...args, "--json"], { ...options, input: VALID });
  expect(JSON.parse(document)).toMatchObject({ capabilities });
  expect(text + document).not.toMatch(/(?!\n)[\p{Cc}\u2028\u202e]/u);
});

describe("a file of keys that cannot be taken is config_invalid, exit 2", () => {
  test.each([
    { what: "no JSON", text: "{" },
    { what: "another form", text: '{"agents": [], "tasks": {}}' },
    {
      what: "a key that is not Ed25519",
      text: '{"agents": [{"agent_runtime_id": "a", "ssh_public_key": "ssh-rsa AAAA"}], "tasks": []}',
    },
    { what: "an agent that stands there twice", text: "twice" },
  ])("rejects $what", async ({ text }) => {
    const file = join(folder.path, "keys.json");
    const { agents, tasks } = JSON.parse(await readFile(KEYS, "utf8"));
    const twice = JSON.stringify({ agents: [...agents, ...agents], tasks });
    await writeFile(file, text === "twice" ? twice : text);
    expectError(await countersign(["verify", VALID, "--keys", file], options), "config_invalid", 2);
  });

  test("rejects a missing one", async () => {
    const args = ["verify", VALID, "--keys", join(folder.path, "none.json")];
    expectError(await countersign(args, options), "config_invalid", 2);
  });
});

test("takes an assertion apart, as an operand, from stdin, or as header prints it", async () => {
  const args = ["--keys", KEYS, "--now", vectors.now];
  const expected = {
    valid: true,
    agent_runtime_id: "agent-runtime-1",
    task_id: "task-1",
    issued_at: vectors.now,
    skew_seconds: 0,
  };
  expect(await json(["verify", VALID, ...args], options)).toMatchObject(expected);
  expect(await json(["verify", ...args], { ...options, input: `${VALID}\n` })).toMatchObject(
    expected,
  );
  const line = `authorization: ${VALID}`;
  expect(await json(["verify", "-", ...args], { ...options, input: line })).toMatchObject(expected);
  expect(await output(["verify", VALID, ...args], options)).toMatch(/^valid\n/);
});

test("asks an authority, and says when that cannot be reached", async () => {
  const authority = await startTestAuthority();
  const env = { COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "1" };
  const input = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  await output(["login", "--authority", authority.url, "--token-stdin"], { ...options, input });
  const line = await output(["header"], { ...options, env });
  const ask = ["verify", "--authority", authority.url];
  expect(await json(ask, { ...options, input: line })).toMatchObject({
    authority: authority.url,
    account_id: "acct-1",
    user_id: "user-1",
  });
  authority.revokeTask(authority.tasks[0]?.taskId ?? "");
  expectError(await countersign(ask, { ...options, input: line }), "task_revoked", 4);
  await authority.close();
  expectError(await countersign(ask, { ...options, input: line }), "unreachable", 5);
});
