import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  headerOf,
  startTestUpstream,
  type TemporaryDirectory,
  type TestAuthority,
  type TestUpstream,
} from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import {
  contentOf,
  countersign,
  expectError,
  json,
  output,
  startCountersign,
  storeLogin,
} from "./command-line.js";
import { FEATURE_ON, freshWorld } from "./fresh-home.js";

let folder: TemporaryDirectory;
let authority: TestAuthority;
let upstream: TestUpstream;
let options: { home: string; env: Record<string, string> };

beforeEach(async () => {
  ({ folder, authority, upstream, options } = await freshWorld());
  authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
  await storeLogin(options.home, { authority: authority.url });
});

const off = () => ({ home: options.home });
const sentTo = (server: TestUpstream) =>
  server.requests.map((request) => headerOf(request, "authorization"));

describe("what is missing is said, and nothing is registered", () => {
  test.each([{ args: ["identity", "ensure"] }, { args: ["task", "ensure"] }])(
    "$args while the feature is off is no_identity, exit 3",
    async ({ args }) => {
      expectError(await countersign(args, off()), "no_identity", 3);
      expect(authority.counts.registerAgent).toBe(0);
    },
  );

  test.each([
    { args: ["identity", "ensure"] },
    { args: ["identity", "show"] },
    { args: ["task", "ensure"] },
    { args: ["header"] },
    { args: ["request", "http://127.0.0.1:1/", "--origin", "http://127.0.0.1:1"] },
  ])("$args without a login is not_logged_in, exit 3", async ({ args }) => {
    const home = join(folder.path, "fresh");
    expectError(await countersign(args, { ...options, home }), "not_logged_in", 3);
  });

  test("a login with another authority counts for nothing (G-I2)", async () => {
    const env = { ...FEATURE_ON, COUNTERSIGN_AUTHORITY: "https://other.example" };
    const result = await countersign(["identity", "ensure"], { ...options, env });
    expectError(result, "not_logged_in", 3);
    expect(result.stderr).toContain("not with https://other.example");
  });

  test("an agent that was never registered is no_identity, exit 3", async () => {
    expectError(await countersign(["identity", "show"], options), "no_identity", 3);
  });

  test("a thread without a task has nothing to show", async () => {
    expectError(await countersign(["task", "show", "--thread", "t"], options), "unknown_task", 1);
  });
});

describe("a registration that fails", () => {
  test("says that the authority cannot be reached, exit 5", async () => {
    await authority.close();
    expectError(await countersign(["task", "ensure"], options), "unreachable", 5);
  });

  test("says that the token was refused, exit 4, without repeating it", async () => {
    authority.removeHuman("t0ken");
    const result = await countersign(["identity", "ensure"], options);
    expectError(result, "unauthenticated", 4);
    expect(result.stderr).not.toContain("t0ken");
  });

  test("prints what the authority said with control characters escaped", async () => {
    const detail = "no\u001b[31m\nerror: forged (internal)";
    const body = { code: "forbidden", detail };
    authority.fault("register_agent", { kind: "status", status: 403, body }, 9);
    const result = await countersign(["identity", "ensure"], options);
    expectError(result, "forbidden", 4);
    expect(result.stderr).not.toContain("\u001b");
  });

  test("is cancelled cleanly by a signal", async () => {
    authority.fault("register_agent", { kind: "hang" }, 9);
    await using running = await startCountersign(["identity", "ensure"], options);
    await running.waitForLine(/^registering this machine's agent/);
    running.kill("SIGINT");
    expectError(await running.exited, "cancelled", 1);
  });
});

describe("threads", () => {
  test.each(["a\nb", "\u0007", "x".repeat(257)])("reject the id %j, exit 2", async (thread) => {
    const before = contentOf(folder.path);
    for (const args of [["task", "ensure"], ["header"], ["status"]]) {
      expectError(await countersign([...args, "--thread", thread], options), "invalid_request", 2);
    }
    const env = { ...FEATURE_ON, COUNTERSIGN_THREAD: thread };
    expectError(await countersign(["header"], { ...options, env }), "invalid_request", 2);
    expect(contentOf(folder.path)).toEqual(before);
    expect(authority.counts.registerAgent).toBe(0);
  });

  test("are not forgotten where none was ever stored, and no home is made for it", async () => {
    const home = join(folder.path, "fresh");
    const forget = ["task", "forget", "--thread", "one"];
    expect(await json(forget, { ...options, home })).toEqual({ scope: "one", forgotten: false });
    expect(Object.keys(contentOf(folder.path)).some((path) => path.startsWith(home))).toBe(false);
  });

  test("with odd characters stay inside the home, and come back as the same task", async () => {
    const thread = "../../etc/passwd 😀 ?#%00";
    const args = ["task", "ensure", "--thread", thread];
    const first = await json(args, options);
    expect(first.scope).toBe(thread);
    expect(await json(args, options)).toEqual(first);
    expect(await json(["task", "show", "--thread", thread], options)).toEqual(first);
    expect(authority.counts.registerTask).toBe(1);
    expect(Object.keys(contentOf(folder.path)).every((path) => path.startsWith(options.home))).toBe(
      true,
    );
  });

  test("have a task each, of one agent, and are listed and forgotten one by one", async () => {
    const one = await json(["task", "ensure", "--thread", "one"], options);
    const two = await json(["task", "ensure", "--thread", "two"], options);
    expect(two.task_id).not.toBe(one.task_id);
    expect(two.agent_runtime_id).toBe(one.agent_runtime_id);
    expect(authority.counts.registerAgent).toBe(1);
    expect(await json(["task", "list"], options)).toEqual(expect.arrayContaining([one, two]));
    const forget = ["task", "forget", "--thread", "one"];
    expect(await json(forget, options)).toEqual({ scope: "one", forgotten: true });
    expect(await json(forget, options)).toEqual({ scope: "one", forgotten: false });
    expect(await json(["task", "list"], options)).toEqual([two]);
  });
});

describe("header", () => {
  test("prints one line that names the thread's task", async () => {
    const line = await output(["header", "--thread", "t"], options);
    const [, encoded = ""] = /^Authorization: AgentAssertion ([\w-]+)\n$/.exec(line) ?? [];
    const envelope = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
    expect(envelope).toMatchObject({ task_id: authority.tasks[0]?.taskId });
  });

  test("off: prints nothing, also where an origin may get the human's token (G-C8)", async () => {
    await writeFile(
      join(options.home, "config.toml"),
      'origins = ["https://api.example"]\nbearer_origins = ["https://api.example"]\n',
    );
    const refused = await countersign(["header"], off());
    expectError(refused, "no_identity", 3);
    expect(refused.stdout).toBe("");
    expect(refused.stderr).toContain("use_agent_identity is off");
    expect(refused.stderr).not.toContain("t0ken");
  });

  test("prints no fallback: the registration's error is said", async () => {
    await writeFile(
      join(options.home, "config.toml"),
      `authority = "${authority.url}"\non_failure = "bearer"\nbearer_origins = ["https://api.example"]\n`,
      { mode: 0o600 },
    );
    authority.fault("register_task", { kind: "status", status: 503 }, Number.POSITIVE_INFINITY);
    const refused = await countersign(["header"], options);
    expectError(refused, "server_error", 5);
    expect(refused.stdout).toBe("");
  });

  test("never keeps the human's token outside of the credentials (G-C11)", async () => {
    await output(
      ["request", upstream.url, "--origin", upstream.url, "--bearer-origin", upstream.url],
      off(),
    );
    expect(sentTo(upstream)).toEqual(["Bearer t0ken"]);
    for (const path of Object.keys(contentOf(options.home))) {
      if (path.endsWith("credentials.json") || contentOf(options.home)[path] === "folder") continue;
      expect(await readFile(path, "utf8")).not.toContain("t0ken");
    }
  });
});

describe("request", () => {
  test("refuses an origin that was not named, exit 2, and sends nothing (G-C1)", async () => {
    const result = await countersign(["request", `${upstream.url}/v1`], options);
    expectError(result, "usage", 2);
    expect(upstream.requests).toHaveLength(0);
    expect(authority.counts.registerAgent).toBe(0);
  });

  test.each([
    { what: "a header without a colon", args: ["--header", "nonsense"] },
    { what: "a file that is missing", args: ["--data", "@/nowhere/at/all"] },
  ])("refuses $what, exit 2", async ({ args }) => {
    const url = `${upstream.url}/v1`;
    const all = ["request", url, "--origin", upstream.url, ...args];
    expectError(await countersign(all, options), "usage", 2);
    expect(upstream.requests).toHaveLength(0);
  });

  test.each(["Authorization", "X-Api-Key", "api-key", "x-goog-api-key"])(
    "refuses --header %s, exit 2: names it, shows no value, and sends nothing",
    async (name) => {
      const line = `${name}: s3cr3t-0123456789`;
      const all = ["request", `${upstream.url}/v1`, "--origin", upstream.url, "--header", line];
      const result = await countersign(all, options);
      expectError(result, "usage", 2);
      expect(result.stderr).toContain(`--header must not set ${name}`);
      expect(result.stderr).not.toContain("s3cr3t");
      expect(upstream.requests).toHaveLength(0);
      expect(authority.counts.registerAgent).toBe(0);
    },
  );

  test("sends the thread's assertion with method, headers and body, and prints the body", async () => {
    const args = ["request", `${upstream.url}/v1/x?y=1`, "--origin", upstream.url];
    const all = [...args, "--header", "X-One: 1", "--data", "@-", "--thread", "t"];
    const printed = await output(all, { ...options, input: '{"a":1}' });
    expect(printed).toBe('{"ok":true}');
    const [request] = upstream.requests;
    expect(request).toMatchObject({ method: "POST", url: "/v1/x?y=1", body: '{"a":1}' });
    expect(sentTo(upstream)).toEqual([expect.stringMatching(/^AgentAssertion /)]);
    expect(request && headerOf(request, "x-one")).toBe("1");
    expect(request && headerOf(request, "content-type")).toBe("application/json");
    expect(request && headerOf(request, "user-agent")).toMatch(/^countersign\/\d+\.\d+\.\d+$/);
  });

  test("with --binding signs method, URL and body as well; without it does not", async () => {
    const args = ["request", `${upstream.url}/v1/x`, "--origin", upstream.url, "--data", "{}"];
    await output([...args, "--binding"], options);
    await output(args, options);
    const fields = ["content-digest", "signature-input", "signature"];
    const [bound, unbound] = upstream.requests.map((received) =>
      fields.map((name) => headerOf(received, name)),
    );
    expect(bound).toEqual([
      expect.stringMatching(/^sha-256=:.+:$/),
      expect.stringContaining('tag="agent-assertion"'),
      expect.stringMatching(/=:.+:$/),
    ]);
    expect(unbound).toEqual([undefined, undefined, undefined]);
  });

  test("off: sends nothing unless the origin may get the human's token, and says what to do (G-C8)", async () => {
    const args = ["request", "GET", upstream.url, "--origin", upstream.url];
    for (const more of [[], ["--bearer-origin", "https://api.example"]]) {
      const refused = await countersign([...args, ...more], off());
      expectError(refused, "no_identity", 3);
      expect(refused.stderr).toContain("use_agent_identity is off");
      expect(refused.stderr).toContain("--enable use_agent_identity");
      expect(refused.stderr).toContain(`--bearer-origin ${upstream.url}`);
      expect(refused.stderr).not.toContain("t0ken");
    }
    expect(upstream.requests).toEqual([]);
    const plain = [...args, "--bearer-origin", "http://api.example", "--insecure-http"];
    const unencrypted = await countersign(plain, off());
    expectError(unencrypted, "config_invalid", 2);
    expect(unencrypted.stderr).toContain("--bearer-origin");
  });

  test("off: sends the human's token to an origin that the command or the configuration names for it", async () => {
    const args = ["request", "GET", upstream.url, "--origin", upstream.url];
    await output([...args, "--bearer-origin", upstream.url], off());
    await writeFile(join(options.home, "config.toml"), `bearer_origins = ["${upstream.url}"]\n`);
    await output(args, off());
    expect(sentTo(upstream)).toEqual(["Bearer t0ken", "Bearer t0ken"]);
  });

  test("streams what arrives before the answer ends", async () => {
    const release = Promise.withResolvers<void>();
    async function* events() {
      yield "first";
      await release.promise;
      yield "last";
    }
    upstream.answer({ kind: "events", events: events() });
    const args = ["request", upstream.url, "--origin", upstream.url];
    await using running = await startCountersign(args, options);
    await running.waitForLine(/^data: first$/);
    release.resolve();
    const { code, stdout } = await running.exited;
    expect(code).toBe(0);
    expect(stdout).toBe("data: first\n\ndata: last\n\n");
  });

  test("replaces a task that the server refuses and sends once more", async () => {
    const headers = { "www-authenticate": 'AgentAssertion error="task_revoked"' };
    upstream.answer({ status: 401, headers });
    const args = ["request", upstream.url, "--origin", upstream.url, "--data", "x"];
    expect(await output(args, options)).toBe('{"ok":true}');
    const sent = sentTo(upstream);
    expect(sent).toHaveLength(2);
    expect(sent[0]).not.toBe(sent[1]);
    expect(authority.counts.registerTask).toBe(2);
  });

  test.each([
    { status: 403, code: "forbidden", exitCode: 4 },
    { status: 404, code: "refused", exitCode: 4 },
    { status: 503, code: "server_error", exitCode: 5 },
  ])("a status $status ends with $exitCode after its body", async ({ status, code, exitCode }) => {
    const problem = { "content-type": "application/problem+json" };
    const body = JSON.stringify(code === "forbidden" ? { code } : { what: "else" });
    upstream.answer({ status, headers: problem, body });
    const result = await countersign(["request", upstream.url, "--origin", upstream.url], options);
    expectError(result, code, exitCode);
    expect(result.stdout).toBe(body);
  });

  test("says that the server cannot be reached, exit 5", async () => {
    await upstream.close();
    const result = await countersign(["request", upstream.url, "--origin", upstream.url], options);
    expectError(result, "unreachable", 5);
  });

  test("says that a port to which no request is sent cannot be reached, exit 5", async () => {
    const url = "http://127.0.0.1:9";
    const result = await countersign(["request", url, "--origin", url], options);
    expectError(result, "unreachable", 5);
  });

  test("--include prints status and headers first", async () => {
    const args = ["request", upstream.url, "--origin", upstream.url, "--include"];
    expect(await output(args, options)).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\{"ok":true\}$/,
    );
  });

  test("--json prints one document, for a refusal too", async () => {
    const args = ["request", upstream.url, "--origin", upstream.url, "--json"];
    expect(JSON.parse(await output(args, options))).toMatchObject({
      status: 200,
      body: '{"ok":true}',
    });
    upstream.answer({ status: 418, body: Uint8Array.of(0xff) });
    const refused = await countersign(args, options);
    expectError(refused, "refused", 4);
    expect(JSON.parse(refused.stdout)).toMatchObject({ status: 418, body_base64: "/w==" });
  });

  test("takes no credential to where a redirect leads", async () => {
    await using other = await startTestUpstream();
    upstream.answer({ status: 302, headers: { location: `${other.url}/stolen` } });
    await countersign(["request", upstream.url, "--origin", upstream.url], options);
    expect(sentTo(other).filter((it) => it !== undefined)).toEqual([]);
  });
});
