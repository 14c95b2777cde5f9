import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { headerOf, type TemporaryDirectory, type TestUpstream } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { countersign, expectError, json, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, serverWorld } from "./servers.js";

let world: ServerWorld;
let folder: TemporaryDirectory;
let home: string;
let upstream: TestUpstream;
let onDatabase: readonly string[];

beforeEach(async () => {
  world = await serverWorld();
  ({ folder, home, upstream, onDatabase } = world);
});

describe("gateway", () => {
  async function openGateway(gatewayArgs: readonly string[] = []) {
    const authority = await world.serve();
    await world.logIn(authority.url);
    const audit = join(folder.path, "audit.jsonl");
    const gateway = await world.start(
      [
        ...[
          "gateway",
          "--listen",
          "127.0.0.1:0",
          "--upstream",
          upstream.url,
          "--authority",
          authority.url,
        ],
        ...[
          "--audit",
          audit,
          "--revocation-delay",
          "0s",
          "--upstream-header",
          "Authorization: env:UPSTREAM",
        ],
        ...gatewayArgs,
      ],
      { UPSTREAM: "Bearer upstream-key" },
    );
    const request = (...args: string[]) =>
      countersign(["request", `${gateway.url}/v1/x`, "--origin", gateway.url, ...args], {
        home,
        env: FEATURE_ON,
      });
    const readAudit = async () =>
      (await readFile(audit, "utf8"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    return { authority, gateway, request, readAudit };
  }

  test("verifies, passes on with its own credential, and writes an audit line for each request", async () => {
    const { gateway, request, readAudit } = await openGateway([
      "--public-url",
      "https://gateway.example",
    ]);
    expect((await fetch(`${gateway.url}/v1/x`)).status).toBe(401);
    expect(await request("--thread", "t")).toMatchObject({ code: 0, stdout: '{"ok":true}' });
    const [task] = await json(["authority", "tasks", "list", ...onDatabase], { home });
    expect(task).toMatchObject({
      account_id: "acct-1",
      user_id: "user-1",
      state: "active",
      created_at: expect.any(String),
    });
    expect(upstream.requests).toHaveLength(1);
    const [received] = upstream.requests;
    if (received === undefined) expect.unreachable();
    expect(headerOf(received, "x-agent-task-id")).toBe(task.task_id);
    expect(headerOf(received, "x-agent-runtime-id")).toBe(task.agent_runtime_id);
    expect(headerOf(received, "authorization")).toBe("Bearer upstream-key");
    gateway.process.kill("SIGTERM");
    expect(await gateway.process.exited).toMatchObject({ code: 0, stderr: "" });
    expect(await readAudit()).toMatchObject([
      { method: "GET", path: "/v1/x", status: 401, code: "missing" },
      { method: "GET", path: "/v1/x", status: 200, account_id: "acct-1", task_id: task.task_id },
    ]);
  });

  test("refuses what was revoked while it runs", async () => {
    const { request } = await openGateway();
    await request();
    const [task] = await json(["authority", "tasks", "list", ...onDatabase], { home });
    await output(["authority", "tasks", "revoke", task.task_id, ...onDatabase], { home });
    expect(await request()).toMatchObject({ code: 0 });
    const tasks = await json(["authority", "tasks", "list", ...onDatabase], { home });
    expect(tasks.map(({ state }: { state: string }) => state).sort()).toEqual([
      "active",
      "revoked",
    ]);
    await output(["authority", "agents", "revoke", task.agent_runtime_id, ...onDatabase], { home });
    const received = upstream.requests.length;
    expectError(await request(), "agent_revoked", 4);
    expect(upstream.requests).toHaveLength(received);
    expect(await json(["authority", "agents", "list", ...onDatabase], { home })).toHaveLength(1);
  });

  test("serves no other account than it is told", async () => {
    const { request } = await openGateway(["--account", "acct-2"]);
    expectError(await request(), "forbidden", 4);
    expect(upstream.requests).toHaveLength(0);
  });

  test("reads the authority's own database as well, as verify does", async () => {
    const authority = await world.serve();
    await world.logIn(authority.url);
    const gateway = await world.start([
      "gateway",
      "--listen",
      "127.0.0.1:0",
      "--upstream",
      upstream.url,
      ...onDatabase,
    ]);
    await output(["request", gateway.url, "--origin", gateway.url], { home, env: FEATURE_ON });
    const input = await output(["header"], { home, env: FEATURE_ON });
    const verified = await json(["verify", ...onDatabase], { home, input });
    expect(verified).toMatchObject({ valid: true, account_id: "acct-1" });
  });

  test("takes the token for the directory from a file or the environment", async () => {
    const file = join(folder.path, "token");
    await writeFile(file, await world.createToken("resource_server"), { mode: 0o600 });
    const authorityFile = join(folder.path, "authority.toml");
    await writeFile(authorityFile, 'public_url = "https://authority.example"\n');
    const authority = await world.serve(["--config", authorityFile]);
    await world.logIn(authority.url);
    const input = await output(["header"], { home, env: FEATURE_ON });
    const ask = ["verify", "--authority", authority.url];
    expect((await countersign(ask, { home, input })).code).toBe(4);
    const asked = await json([...ask, "--authority-token", `file:${file}`], { home, input });
    expect(asked).toMatchObject({ valid: true });
    const env = { RS_TOKEN: (await readFile(file, "utf8")).trim() };
    expect(
      await json([...ask, "--authority-token", "env:RS_TOKEN"], { home, input, env }),
    ).toMatchObject({ valid: true });
  });
});
