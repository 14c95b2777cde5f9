import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AssertionSigner, bindRequest, signAssertion } from "@countersign/agent-assertion/sign";
import { fileStore } from "@countersign/agent-identity";
import { type AgentCredential, AgentKey, formatTimestamp } from "@countersign/agent-key";
import {
  headerOf,
  startTestUpstream,
  type TemporaryDirectory,
  type TestUpstream,
} from "@countersign/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { countersign, expectError, json, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, type StartedServer, serverWorld } from "./servers.js";

let world: ServerWorld;
let folder: TemporaryDirectory;
let home: string;
let upstream: TestUpstream;
let onDatabase: readonly string[];

const NOWHERE = "http://127.0.0.1:1";
const toUpstream = () => ["gateway", "--listen", "127.0.0.1:0", "--upstream", upstream.url];

beforeEach(async () => {
  world = await serverWorld();
  ({ folder, home, upstream, onDatabase } = world);
});

describe("how bound requests are treated is said whole, or is exit 2", () => {
  const URL = ["--public-url", "https://gateway.example"];
  test.each([
    {
      what: "no public URL",
      args: ["--binding", "accept", "--replay-store", "memory"],
      says: "needs --public-url",
    },
    {
      what: "nowhere to spend nonces",
      args: ["--binding", "require", ...URL],
      says: "needs --replay-store",
    },
    {
      what: "a database that is not named",
      args: ["--binding", "require", ...URL, "--replay-store", "database"],
      says: "needs --database",
    },
    {
      what: "a store for nonces without a policy that spends them",
      args: ["--replay-store", "memory"],
      says: "is for --binding",
    },
    {
      what: "an unknown policy",
      args: ["--binding", "always", ...URL, "--replay-store", "memory"],
      says: "Allowed choices are",
    },
    {
      what: "an unknown store",
      args: ["--binding", "accept", ...URL, "--replay-store", "redis"],
      says: "Allowed choices are",
    },
  ])("rejects $what", async ({ args, says }) => {
    const result = await countersign([...toUpstream(), "--authority", NOWHERE, ...args], { home });
    expectError(result, "usage", 2);
    expect(result.stderr).toContain(says);
    expect(result.stdout).toBe("");
  });

  test("rejects a public URL that is not valid", async () => {
    const args = ["--authority", NOWHERE, "--public-url", "no url"];
    const result = await countersign([...toUpstream(), ...args], { home });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("--public-url: ");
  });
});

test.each(["X-Agent-Task-Id", "authorization", "Transfer-Encoding", "Cookie", "X.Api.Key", "a b"])(
  "gateway rejects --forward-header %s",
  async (name) => {
    const audit = join(home, "audit");
    const args = ["--authority", NOWHERE, "--forward-header", name, "--audit", audit];
    const result = await countersign([...toUpstream(), ...args], { home });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain(JSON.stringify(name));
    expect(result.stdout).toBe("");
    expect(existsSync(audit)).toBe(false);
  },
);

describe("gateway with --binding", () => {
  const PUBLIC_URL = "https://gateway.example/base";

  async function openBound(policy: string, replayStore: string) {
    await world.logIn((await world.serve()).url);
    const args = ["--binding", policy, "--public-url", PUBLIC_URL, "--replay-store", replayStore];
    const start = () => world.start([...toUpstream(), ...onDatabase, ...args]);
    return { start, gateway: await start() };
  }

  /** What a client of this very agent sends, bound or not, to the URL that the gateway is known by. */
  async function sign(isBound: boolean): Promise<Record<string, string>> {
    const task = await json(["task", "ensure"], { home, env: FEATURE_ON });
    const [identity] = (await fileStore(home).load()).identities;
    const credential: AgentCredential<AgentKey> = {
      kind: "agent",
      authority: task.authority,
      agentRuntimeId: task.agent_runtime_id,
      taskId: task.task_id,
      key: AgentKey.importPkcs8(identity?.private_key ?? ""),
    };
    const authorization = new AssertionSigner().header(credential);
    if (!isBound) return { authorization };
    const targetUri = `${PUBLIC_URL}/v1/x?y=1`;
    const request = { credential, authorization, method: "GET", targetUri, body: undefined };
    return { authorization, ...Object.fromEntries(bindRequest(request)) };
  }

  test("require takes a bound request once, also after a restart, and no other", async () => {
    const { gateway, start } = await openBound("require", "database");
    const send = async ({ url }: StartedServer, headers: Record<string, string>) =>
      (await fetch(`${url}/v1/x?y=1`, { headers })).headers.get("www-authenticate");
    expect(await send(gateway, await sign(false))).toContain('"binding_required"');
    const bound = await sign(true);
    expect(await send(gateway, bound)).toBeNull();
    expect(await send(gateway, bound)).toContain('"replayed"');
    gateway.process.kill("SIGTERM");
    await gateway.process.exited;
    expect(await send(await start(), bound)).toContain('"replayed"');
    expect(upstream.requests).toHaveLength(1);
  });

  test("has a public URL of plain http where --insecure-http allows it", async () => {
    const url = ["--public-url", "http://gateway.example", "--insecure-http"];
    const binding = ["--binding", "require", "--replay-store", "memory", ...url];
    const { process } = await world.start([
      ...[...toUpstream(), "--authority", NOWHERE],
      ...binding,
    ]);
    process.kill("SIGTERM");
    expect(await process.exited).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(
        "warning: every machine on the way to http://gateway.example",
      ),
    });
  });

  test("accept takes unbound requests too, and remembers nonces in memory where told so", async () => {
    const { gateway } = await openBound("accept", "memory");
    const bound = await sign(true);
    const statuses: number[] = [];
    for (const headers of [await sign(false), bound, bound]) {
      statuses.push((await fetch(`${gateway.url}/v1/x?y=1`, { headers })).status);
    }
    expect(statuses).toEqual([200, 200, 401]);
  });
});

test("gateway answers its operators' probes on a listener of its own", async () => {
  const authority = await world.serve();
  const { process } = await world.start([
    ...[...toUpstream(), "--authority", authority.url, "--operations-listen", "127.0.0.1:0"],
  ]);
  const [, operations = ""] = await process.waitForLine(/^operations on (http:\/\/\S+)$/);
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    expect((await fetch(operations + path)).status).toBe(200);
  }
  process.kill("SIGTERM");
  expect(await process.exited).toMatchObject({ code: 0 });
});

test("gateway says when the authority's clock differs, and by how much in a figure", async () => {
  const authority = await startTestUpstream(() => ({
    status: 500,
    headers: { date: new Date(Date.now() + 3_600_000).toUTCString() },
  }));
  onTestFinished(() => authority.close());
  const { process, url } = await world.start([
    ...[...toUpstream(), "--authority", authority.url, "--operations-listen", "127.0.0.1:0"],
  ]);
  const [, operations = ""] = await process.waitForLine(/^operations on (http:\/\/\S+)$/);
  const metrics = async () => (await fetch(`${operations}/metrics`)).text();
  const figure = /^countersign_proxy_authority_clock_ahead_seconds (\S+)$/m;
  expect(await metrics()).not.toMatch(figure);
  const authorization = new AssertionSigner().header({
    agentRuntimeId: "agent-1",
    taskId: "task-1",
    key: AgentKey.generate(),
  } as AgentCredential<AgentKey>);
  await fetch(url, { headers: { authorization } });
  await process.waitForLine(/the clock of the authority .* is 3\d{3} s ahead of this machine's/);
  expect(Number(figure.exec(await metrics())?.[1])).toBeGreaterThan(3_500);
});

describe("gateway that is sent SIGHUP", () => {
  async function openReloading() {
    const authority = await world.serve();
    await world.logIn(authority.url);
    const file = join(folder.path, "upstream-key");
    await writeFile(file, "Bearer first\n", { mode: 0o600 });
    const header = ["--upstream-header", `Authorization: file:${file}`];
    const fixed = ["--upstream-header", "X-Fixed: env:FIXED"];
    const args = [...toUpstream(), "--authority", authority.url, ...header, ...fixed];
    const { process, url } = await world.start(args, { FIXED: "same" });
    const received = async () => {
      const before = upstream.requests.length;
      await output(["request", url, "--origin", url], { home, env: FEATURE_ON });
      const request = upstream.requests[before] ?? expect.unreachable();
      return [headerOf(request, "authorization"), headerOf(request, "x-fixed")];
    };
    return { file, process, received };
  }

  test("takes its credential from the file again", async () => {
    const { file, process, received } = await openReloading();
    expect(await received()).toEqual(["Bearer first", "same"]);
    await writeFile(file, "Bearer second\n");
    process.kill("SIGHUP");
    await process.waitForLine(/^SIGHUP: the upstream's credentials were read again$/);
    expect(await received()).toEqual(["Bearer second", "same"]);
  });

  test("takes its credential when the file changes, without a signal", async () => {
    const { file, process, received } = await openReloading();
    await writeFile(file, "Bearer second\n");
    await process.waitForLine(/^its file changed: the upstream's credentials were read again$/);
    expect(await received()).toEqual(["Bearer second", "same"]);
  });

  test.each([
    { what: "is gone", change: (file: string) => rm(file), code: "usage" },
    { what: "is empty", change: (file: string) => writeFile(file, ""), code: "usage" },
    {
      what: "holds two lines",
      change: (file: string) => writeFile(file, "s3cr3t\nx"),
      code: "usage",
    },
  ])("keeps its credential while the file $what", async ({ change, code }) => {
    const { file, process, received } = await openReloading();
    await change(file);
    process.kill("SIGHUP");
    await process.waitForLine(
      new RegExp(`^warning: SIGHUP: .* stay as they were: .*\\(${code}\\)$`),
    );
    expect(await received()).toEqual(["Bearer first", "same"]);
    process.kill("SIGTERM");
    const { code: exitCode, stderr } = await process.exited;
    expect(exitCode).toBe(0);
    expect(stderr).not.toContain("s3cr3t");
  });
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

  test("drops a client's tenant, and lets the header pass that --forward-header names", async () => {
    const { request } = await openGateway(["--forward-header", "OpenAI-Project"]);
    const tenant = ["--header", "OpenAI-Organization: org-1", "--header", "OpenAI-Project: proj-1"];
    expect(await request(...tenant)).toMatchObject({ code: 0 });
    const [received = expect.unreachable()] = upstream.requests;
    expect(headerOf(received, "openai-organization")).toBeUndefined();
    expect(headerOf(received, "openai-project")).toBe("proj-1");
  });

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
    const { code, stderr } = await gateway.process.exited;
    expect([code, stderr.replace(/^ending .*\n/, "")]).toEqual([0, ""]);
    // What was not reported yet is reported at the end.
    expect(await json(["authority", "tasks", "list", ...onDatabase], { home })).toMatchObject([
      { last_used_at: expect.any(String), last_used_reported_by: "loopback" },
    ]);
    expect(await readAudit()).toMatchObject([
      { method: "GET", path: "/v1/x", status: 401, code: "missing" },
      { method: "GET", path: "/v1/x", status: 200, account_id: "acct-1", task_id: task.task_id },
    ]);
  });

  test.each([
    { asked: "once waits for what is open, and says so", again: false, code: 0, ending: 0 },
    { asked: "once more ends at once", again: true, code: 1, ending: 5 },
  ])("that is asked to end $asked", async ({ again, code, ending }) => {
    const { gateway, request } = await openGateway();
    const release = Promise.withResolvers<void>();
    upstream.answer({ kind: "hold", until: release.promise });
    const answered = request();
    await expect.poll(() => upstream.requests).toHaveLength(1);
    gateway.process.kill("SIGINT");
    await gateway.process.waitForLine(/^ending what is open; ask once more to end at once$/);
    if (again) {
      gateway.process.kill("SIGINT");
      expect(await gateway.process.exited).toMatchObject({ code });
    }
    release.resolve();
    expect(await answered).toMatchObject({ code: ending });
    expect(await gateway.process.exited).toMatchObject({ code });
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

  test("goes on with what it knows when its authority is gone, and says so", async () => {
    const { authority, gateway, request } = await openGateway();
    await request();
    authority.process.kill("SIGKILL");
    await authority.process.exited;
    expect(await request()).toMatchObject({ code: 0 });
    await gateway.process.waitForLine(
      /^warning: the authority http:\S+ does not answer about agents and tasks: unreachable \(E[A-Z]+\);/,
    );
  });

  test("serves nothing without its authority where it may not, and for as long as it may", async () => {
    const { authority, gateway, request } = await openGateway(["--outage-window", "0s"]);
    const more = await world.start([
      ...[...toUpstream(), "--authority", authority.url, "--revocation-delay", "0s"],
      ...["--outage-window", "1s"],
    ]);
    const header = await output(["header"], { home, env: FEATURE_ON });
    const authorization = header.trim().replace("Authorization: ", "");
    const status = async (url: string) =>
      (await fetch(`${url}/v1/x`, { headers: { authorization } })).status;
    expect(await request()).toMatchObject({ code: 0 });
    expect(await status(more.url)).toBe(200);
    authority.process.kill("SIGKILL");
    await authority.process.exited;
    expect(await status(gateway.url)).toBe(503);
    await gateway.process.waitForLine(/every request that needs an answer is refused with 503$/);
    expect(await status(more.url)).toBe(200);
    await more.process.waitForLine(/used for at most 1 s \(--outage-window\)/);
    await more.process.waitForLine(
      /^warning: .* has not answered for 1 s: every request is refused/,
    );
    expect(await status(more.url)).toBe(503);
  });

  test.each(["3601s", "x", "-1s"])("rejects --outage-window %s", async (window) => {
    const args = [...toUpstream(), "--authority", NOWHERE, `--outage-window=${window}`];
    expectError(await countersign(args, { home }), "usage", 2);
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
    await world.logIn((await world.serve()).url);
    const input = await output(["header"], { home, env: FEATURE_ON });
    // Another authority on the same database, whose directory requires a token.
    const authority = await world.serve(["--config", authorityFile]);
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

describe("clients behind a reverse proxy", () => {
  const key = AgentKey.generate();
  let invented = 0;

  /** The status of a request of an agent that does not exist. */
  async function ask(url: string, client: string): Promise<number> {
    invented += 1;
    const authorization = signAssertion({
      agentRuntimeId: `invented-${invented}`,
      taskId: "task-1",
      key,
      timestamp: formatTimestamp(Date.now()),
    });
    const headers = { authorization, "x-forwarded-for": client };
    const response = await fetch(url, { headers });
    await response.text();
    return response.status;
  }

  async function askUntilRefused(url: string, client: string): Promise<void> {
    for (;;) {
      const statuses = await Promise.all(Array.from({ length: 16 }, () => ask(url, client)));
      if (statuses.includes(429)) return;
    }
  }

  test.each([
    ["the option", ["--trusted-proxy", "127.0.0.0/8"], {}],
    ["the variable", [], { COUNTERSIGN_TRUSTED_PROXIES: "10.0.0.1,127.0.0.1" }],
  ])("have limits of their own where %s names the proxy", async (_name, args, env) => {
    await world.createToken();
    const { url } = await world.start([...toUpstream(), ...onDatabase, ...args], env);
    await askUntilRefused(url, "192.0.2.1");
    expect(await ask(url, "192.0.2.2")).toBe(401);
  });

  test("are one where no proxy is named", async () => {
    await world.createToken();
    const { url } = await world.start([...toUpstream(), ...onDatabase]);
    await askUntilRefused(url, "192.0.2.1");
    const others = Array.from({ length: 32 }, (_, index) => ask(url, `192.0.2.${index + 2}`));
    expect(await Promise.all(others)).toContain(429);
  });
});
