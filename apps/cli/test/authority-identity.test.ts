import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TemporaryDirectory } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { contentOf, countersign, expectError, json, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, serverWorld } from "./servers.js";

const ISSUE = ["authority", "identity", "issue", "--account", "acct-1", "--user", "user-1"];
const KEYS = ["authority", "keys"];

let world: ServerWorld;
let folder: TemporaryDirectory;
let home: string;
let onDatabase: readonly string[];
let config: readonly string[];

beforeEach(async () => {
  world = await serverWorld();
  ({ folder, home, onDatabase } = world);
  const file = join(folder.path, "authority.toml");
  await writeFile(file, 'generations = ["A", "B", "C"]\nagent_ttl = "90d"\n', { mode: 0o600 });
  config = ["--config", file];
});

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

describe("authority identity issue", () => {
  test("refuses where the configuration does not serve generation B, and makes no database", async () => {
    const file = join(folder.path, "other.toml");
    await writeFile(file, 'generations = ["A", "C"]\n', { mode: 0o600 });
    const before = contentOf(folder.path);
    for (const args of [[], ["--config", file]]) {
      const result = await countersign([...ISSUE, ...args, ...onDatabase], { home });
      expectError(result, "config_invalid", 2);
      expect(result.stderr).toContain("--config");
      expect(result.stdout).toBe("");
    }
    expect(contentOf(folder.path)).toEqual(before);
  });

  test.each([
    { what: "no account's id", args: ["--account", "a b"] },
    { what: "no duration", args: ["--ttl", "30"] },
    { what: "more than ten years", args: ["--ttl", "3651d"] },
  ])("refuses $what", async ({ args }) => {
    const result = await countersign([...ISSUE, ...args, ...config, ...onDatabase], { home });
    expectError(result, "usage", 2);
  });

  test("prints the JWT alone: a login whose agent works until an operator revokes it", async () => {
    const { url } = await world.serve(config);
    const more = ["--email", "user@mail.example", "--plan", "pro", "--ttl", "1h"];
    const token = await output([...ISSUE, ...more, ...config, ...onDatabase], { home });
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const claims = claimsOf(token);
    expect(claims).toMatchObject({
      iss: "https://chatgpt.com/codex-backend/agent-identity",
      aud: "codex-app-server",
      email: "user@mail.example",
      plan_type: "pro",
    });
    expect(claims.exp - claims.iat).toBe(3600);

    const options = { home, env: { ...FEATURE_ON } };
    const login = ["login", "--authority", url, "--identity-jwt-stdin"];
    await output(login, { ...options, input: token });
    const task = ["task", "ensure", "--thread", "thread-1"];
    expect(await json(task, options)).toMatchObject({ agent_runtime_id: claims.agent_runtime_id });
    const header = await output(["header", "--thread", "thread-1"], options);
    const verify = ["verify", header.trim(), "--authority", url];
    expect(await json(verify, options)).toMatchObject({ account_id: "acct-1", user_id: "user-1" });

    const revoke = ["authority", "agents", "revoke", claims.agent_runtime_id];
    await output([...revoke, ...onDatabase], { home });
    expectError(await countersign(verify, options), "agent_revoked", 4);
  });

  test("takes issuer, audience and generations where they are given, and cuts a life to agent_ttl", async () => {
    const more = ["--issuer", "https://issuer.example", "--audience", "other", "--ttl", "365d"];
    const issued = await json([...ISSUE, ...more, ...config, ...onDatabase], { home });
    expect(claimsOf(issued.identity_token)).toMatchObject({
      iss: "https://issuer.example",
      aud: "other",
      agent_runtime_id: issued.agent_runtime_id,
    });
    const { iat, exp } = claimsOf(issued.identity_token);
    expect(exp - iat).toBe(90 * 86_400);
    const env = { COUNTERSIGN_AUTHORITY_GENERATIONS: "B" };
    const { kid } = await json([...ISSUE, ...onDatabase], { home, env });
    expect(kid).toBe(issued.kid);
  });
});

describe("authority keys", () => {
  test("are listed without anything secret, and rotated while the authority runs", async () => {
    const { url } = await world.serve(config);
    const published = async () => {
      const answer = await fetch(`${url}/agent-identities/jwks`);
      const { keys } = (await answer.json()) as { keys: { kid: string }[] };
      return keys.map(({ kid }) => kid).sort();
    };
    const issued = await json([...ISSUE, ...config, ...onDatabase], { home });
    const [first] = await json([...KEYS, "list", ...onDatabase], { home });
    expect(first).toEqual({
      kid: issued.kid,
      state: "active",
      created_at: expect.any(String),
      last_token_ends_at: issued.expires_at,
    });
    const second = await json([...KEYS, "rotate", ...onDatabase], { home });
    expect(second).toEqual({
      ...{ kid: expect.any(String), state: "active" },
      created_at: expect.any(String),
    });
    expect(await published()).toEqual([first.kid, second.kid].sort());
    const rows: { kid: string; state: string }[] = await json([...KEYS, "list", ...onDatabase], {
      home,
    });
    expect(new Map(rows.map(({ kid, state }) => [kid, state]))).toEqual(
      new Map([
        [first.kid, "retired"],
        [second.kid, "active"],
      ]),
    );
  });
});
