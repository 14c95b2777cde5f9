import { once } from "node:events";
import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  headerOf,
  type TemporaryDirectory,
  type TestAuthority,
  type TestProcess,
  type TestUpstream,
} from "@countersign/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import {
  contentOf,
  countersign,
  expectError,
  json,
  output,
  startCountersign,
  storeLogin,
} from "./command-line.js";
import { freshWorld } from "./fresh-home.js";

let folder: TemporaryDirectory;
let home: string;
let authority: TestAuthority;
let upstream: TestUpstream;
let options: { home: string; env: Record<string, string> };
let tokenFile: string;

beforeEach(async () => {
  ({ folder, home, authority, upstream, options } = await freshWorld());
  tokenFile = join(home, "proxy.token");
  authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
});

const logIn = () => storeLogin(home, { authority: authority.url });
const to = () => ["proxy", "--upstream", upstream.url];
const onLoopback = () => [...to(), "--listen", "127.0.0.1:0"];

interface StartedProxy {
  readonly process: TestProcess;
  readonly url: string;
}

async function start(args: readonly string[], env = options.env): Promise<StartedProxy> {
  const process = await startCountersign(args, { home, env });
  onTestFinished(() => process[Symbol.asyncDispose]());
  const [, url = ""] = await process.waitForLine(/^listening on (\S+)$/);
  return { process, url };
}

function getThrough(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpRequest({ socketPath, path: "/v1/x" }, (response) => resolve(text(response)))
      .on("error", reject)
      .end();
  });
}

/** Nothing was registered, and the upstream got no request. */
function expectUnused(): void {
  expect(upstream.requests).toEqual([]);
  expect(authority.requests).toEqual([]);
}

describe("a proxy that cannot be served as told is exit 2 and makes nothing", () => {
  test.each([
    { what: "nowhere to listen", args: () => to() },
    { what: "no upstream", args: () => ["proxy", "--listen", "127.0.0.1:0"] },
    { what: "no address", args: () => [...to(), "--listen", "4800"] },
    {
      what: "two ways to let clients in",
      args: () => [...onLoopback(), "--open", "--client-token-file", "/nowhere"],
    },
    {
      what: "another name for a proxy that is open",
      args: () => [...onLoopback(), "--open", "--allow-host", "proxy"],
    },
    {
      what: "a token file without a name",
      args: () => [...onLoopback(), "--client-token-file", ""],
    },
    { what: "a socket that is opened", args: () => [...to(), "--socket", "/nowhere", "--open"] },
    {
      what: "a socket with a token",
      args: () => [...to(), "--socket", "/nowhere", "--client-token-file", "/nowhere"],
    },
    {
      what: "a socket that allows a Host",
      args: () => [...to(), "--socket", "/nowhere", "--allow-host", "proxy"],
    },
    { what: "no thread to keep", args: () => [...onLoopback(), "--max-threads", "0"] },
    {
      what: "a body to keep that has a unit",
      args: () => [...onLoopback(), "--replay-body-bytes", "1MiB"],
    },
    {
      what: "no time for an answer",
      args: () => [...onLoopback(), "--response-timeout", "0s"],
    },
    {
      what: "a silence that is no duration",
      args: () => [...onLoopback(), "--idle-timeout", "long"],
    },
    {
      what: "an address that others reach, without --allow-remote",
      args: () => [...to(), "--listen", "0.0.0.0:0"],
    },
    {
      what: "an address that others reach, open",
      args: () => [...to(), "--listen", "0.0.0.0:0", "--allow-remote", "--open"],
    },
  ])("rejects $what", async ({ args }) => {
    await logIn();
    const before = contentOf(folder.path);
    const result = await countersign(args(), options);
    expectError(result, "usage", 2);
    expect(result.stdout).toBe("");
    expect(contentOf(folder.path)).toEqual(before);
  });

  test.each([
    { what: "a file that is missing" },
    { what: "a file that everybody may read", text: "x".repeat(32), mode: 0o644 },
    { what: "a token that is too short", text: "s3cr3t", mode: 0o600 },
    { what: "a token with a space in it", text: `s3cr3t ${"x".repeat(32)}`, mode: 0o600 },
  ])("rejects $what as --client-token-file (G-P8)", async ({ text: content, mode }) => {
    await logIn();
    const file = join(folder.path, "token");
    if (content !== undefined) {
      await writeFile(file, content);
      await chmod(file, mode ?? 0);
    }
    const result = await countersign([...onLoopback(), "--client-token-file", file], options);
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain(file);
    expect(result.stderr).not.toContain("s3cr3t");
    expect(result.stdout).toBe("");
  });

  test.each([
    ["a thread header that is no header's name", ["--thread-header", "a b"]],
    ["a host to allow that is a URL", ["--allow-host", "http://proxy:4800"]],
    ["a header to forward that is the proxy's own", ["--forward-header", "X-Api-Key"]],
  ])("rejects %s, and makes neither a token nor an audit file", async (_, args) => {
    await logIn();
    const before = Object.keys(contentOf(folder.path));
    const audit = ["--audit", join(folder.path, "audit")];
    const result = await countersign([...onLoopback(), ...audit, ...args], options);
    expectError(result, "config_invalid", 2);
    expect(Object.keys(contentOf(folder.path))).toEqual(before);
  });

  test("rejects a home without a login, exit 3", async () => {
    for (const env of [{}, { COUNTERSIGN_AUTHORITY: authority.url }]) {
      const result = await countersign(onLoopback(), { home, env: { ...options.env, ...env } });
      expectError(result, "not_logged_in", 3);
      expect(result.stdout).toBe("");
    }
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects an address that is taken, exit 1", async () => {
    await logIn();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    if (address === null || typeof address === "string") expect.unreachable();
    const before = contentOf(folder.path);
    const args = [...to(), "--listen", `127.0.0.1:${address.port}`];
    expectError(await countersign(args, options), "address_in_use", 1);
    expect(contentOf(folder.path)).toEqual(before);
  });
});

describe("proxy token", () => {
  test("rejects a file that holds none, and shows nothing of it", async () => {
    await mkdir(home, { mode: 0o700 });
    await writeFile(tokenFile, "s3cr3t", { mode: 0o600 });
    const result = await countersign(["proxy", "token"], options);
    expectError(result, "store_corrupt", 1);
    expect(result.stdout + result.stderr).not.toContain("s3cr3t");
    expect(await readFile(tokenFile, "utf8")).toBe("s3cr3t");
  });

  test("rejects a link in its place (G-P8)", async () => {
    await mkdir(home, { mode: 0o700 });
    const elsewhere = join(folder.path, "elsewhere");
    await writeFile(elsewhere, "x".repeat(43), { mode: 0o600 });
    await symlink(elsewhere, tokenFile);
    expectError(await countersign(["proxy", "token"], options), "store_denied", 1);
  });

  test("is 256 random bits that are made once, for the owner alone, also when two ask at once (G-P8)", async () => {
    const asked = [
      ["proxy", "token"],
      ["proxy", "token"],
    ].map((args) => output(args, options));
    const [token, same] = await Promise.all(asked);
    expect(token).toMatch(/^[\w-]{43}\n$/);
    expect(same).toBe(token);
    expect(await json(["proxy", "token"], options)).toEqual({
      token: token?.trimEnd(),
      file: tokenFile,
    });
    expect((await stat(tokenFile)).mode & 0o777).toBe(0o600);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    expect(await readFile(tokenFile, "utf8")).toBe(token?.trimEnd());
  });

  test("is tightened where others may read it", async () => {
    const token = await output(["proxy", "token"], options);
    await chmod(tokenFile, 0o644);
    expect(await output(["proxy", "token"], options)).toBe(token);
    expect((await stat(tokenFile)).mode & 0o777).toBe(0o600);
  });
});

describe("proxy", () => {
  test("refuses every caller without the token, and prints it nowhere (G-P8)", async () => {
    await logIn();
    const { process, url } = await start(onLoopback());
    const token = await readFile(tokenFile, "utf8");
    for (const headers of [{}, { authorization: `Bearer ${token}x` }, { "x-api-key": "t0ken" }]) {
      const answer = await fetch(`${url}/v1/x`, { headers });
      expect(answer.status).toBe(401);
    }
    const page = { authorization: `Bearer ${token}`, origin: "https://page.example" };
    expect((await fetch(`${url}/v1/x`, { headers: page })).status).toBe(403);
    expectUnused();
    process.kill("SIGTERM");
    const result = await process.exited;
    expect(result).toMatchObject({ code: 0, stdout: `listening on ${url}\n` });
    expect(result.stderr).toMatch(/^clients present the token in /m);
    expect(result.stderr).toContain(`clients present the token in ${tokenFile}\n`);
    expect(result.stderr).not.toContain(token);
  });

  test("signs for every caller with the token, each thread in a task of its own", async () => {
    await logIn();
    const { url } = await start(onLoopback());
    const token = await readFile(tokenFile, "utf8");
    const send = async (headers: Record<string, string>) => {
      const answer = await fetch(`${url}/v1/x?y=1`, { headers });
      expect(await answer.text()).toBe('{"ok":true}');
    };
    await send({ authorization: `Bearer ${token}`, "x-thread-id": "one" });
    await send({ "x-api-key": token, "x-thread-id": "one" });
    await send({ "x-api-key": token, session_id: "two" });
    await send({ "x-api-key": token });
    expect(authority.counts).toMatchObject({ registerAgent: 1, registerTask: 3 });
    expect(upstream.requests.map(({ url: target }) => target)).toEqual(Array(4).fill("/v1/x?y=1"));
    for (const received of upstream.requests) {
      expect(headerOf(received, "authorization")).toMatch(/^AgentAssertion [\w-]+$/);
      expect(received.rawHeaders.flat().join("\n")).not.toContain(token);
    }
    const threads = await json(["task", "list"], options);
    expect(threads.map(({ scope }: { scope: string }) => scope).sort()).toEqual(["one", "two"]);
  });

  test("takes the token from a file that is named, and the thread from a header that is named", async () => {
    await logIn();
    const file = join(folder.path, "token");
    await writeFile(file, `${"k".repeat(16)}\n`, { mode: 0o600 });
    const args = [...onLoopback(), "--client-token-file", file, "--thread-header", "X-Run"];
    const { url } = await start(args);
    const headers = { "x-api-key": "k".repeat(16), "X-Run": "r", "x-thread-id": "ignored" };
    expect((await fetch(url, { headers })).status).toBe(200);
    const [thread] = await json(["task", "list"], options);
    expect(thread.scope).toBe("r");
    await expect(stat(tokenFile)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("takes the token from its file again, at the address and at the socket beside it", async () => {
    await logIn();
    const directory = join(folder.path, "run");
    await mkdir(directory, { mode: 0o700 });
    const args = [...onLoopback(), "--socket", join(directory, "proxy.sock")];
    const { process, url } = await start(args);
    const former = await readFile(tokenFile, "utf8");
    const statusWith = async (token: string) =>
      (await fetch(url, { headers: { "x-api-key": token } })).status;
    await rm(tokenFile);
    await process.waitForLine(
      /^warning: its file changed: the client token stays as it was: .*\(config_invalid\)$/,
    );
    expect(await statusWith(former)).toBe(200);
    const other = "k".repeat(16);
    await writeFile(tokenFile, other, { mode: 0o600 });
    await process.waitForLine(/^its file changed: the client token was read again$/);
    expect([await statusWith(former), await statusWith(other)]).toEqual([401, 200]);
  });

  test("lets the header pass that --forward-header names", async () => {
    await logIn();
    const { url } = await start([...onLoopback(), "--open", "--forward-header", "api-key"]);
    const headers = { "Api-Key": "own-1", "X-Goog-Api-Key": "evil" };
    expect((await fetch(url, { headers })).status).toBe(200);
    const [received = expect.unreachable()] = upstream.requests;
    expect(headerOf(received, "api-key")).toBe("own-1");
    expect(headerOf(received, "x-goog-api-key")).toBeUndefined();
  });

  test("with --binding signs method, URL and body as well", async () => {
    await logIn();
    const { url } = await start([...onLoopback(), "--open", "--binding"]);
    expect((await fetch(`${url}/v1/x`, { method: "POST", body: "{}" })).status).toBe(200);
    const [received = expect.unreachable()] = upstream.requests;
    expect(headerOf(received, "content-digest")).toMatch(/^sha-256=:.+:$/);
    expect(headerOf(received, "signature-input")).toContain('tag="agent-assertion"');
  });

  test("asks for no token when it is opened, and says what that means", async () => {
    await logIn();
    const { process, url } = await start([...onLoopback(), "--open"]);
    expect((await fetch(url)).status).toBe(200);
    process.kill("SIGTERM");
    expect((await process.exited).stderr).toMatch(/^warning: every program of this machine/m);
    await expect(stat(tokenFile)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("serves a Unix socket without a token", async () => {
    await logIn();
    const directory = join(folder.path, "run");
    await mkdir(directory, { mode: 0o700 });
    const socketPath = join(directory, "proxy.sock");
    const { process, url } = await start([...to(), "--socket", socketPath]);
    expect(url).toBe(`unix:${socketPath}`);
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    expect(await getThrough(socketPath)).toBe('{"ok":true}');
    process.kill("SIGTERM");
    expect(await process.exited).toMatchObject({ code: 0 });
    await expect(stat(socketPath)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("serves an address beside the socket, and asks for the token there", async () => {
    await logIn();
    const directory = join(folder.path, "run");
    await mkdir(directory, { mode: 0o700 });
    const socketPath = join(directory, "proxy.sock");
    const { process, url } = await start([...onLoopback(), "--socket", socketPath]);
    await process.waitForLine(new RegExp(`^listening on unix:${socketPath}$`));
    expect((await fetch(url)).status).toBe(401);
    expect(await getThrough(socketPath)).toBe('{"ok":true}');
  });

  test("rejects a socket in a folder that others may enter", async () => {
    await logIn();
    const directory = join(folder.path, "run");
    await mkdir(directory);
    await chmod(directory, 0o755);
    const args = [...to(), "--socket", join(directory, "proxy.sock")];
    const result = await countersign(args, options);
    expectError(result, "store_denied", 1);
    expect(result.stdout).toBe("");
  });

  test("with --json says in one line where it listens, and ends what it began before it ends", async () => {
    await logIn();
    const release = Promise.withResolvers<void>();
    async function* events() {
      yield "first";
      await release.promise;
      yield "last";
    }
    upstream.answer({ kind: "events", events: events() });
    const process = await startCountersign([...onLoopback(), "--json"], options);
    onTestFinished(() => process[Symbol.asyncDispose]());
    const [line] = await process.waitForLine(/^\{"listening".*\}$/);
    const { listening, client_token_file } = JSON.parse(line ?? "");
    expect(client_token_file).toBe(tokenFile);
    const headers = { "x-api-key": await readFile(tokenFile, "utf8") };
    const answer = await fetch(listening, { headers });
    process.kill("SIGTERM");
    // Refused from now on, so that the signal has arrived.
    await expect
      .poll(() =>
        fetch(listening, { headers }).then(
          () => 0,
          () => 1,
        ),
      )
      .toBe(1);
    release.resolve();
    expect(await answer.text()).toContain("last");
    expect(await process.exited).toMatchObject({ code: 0, stdout: `${line}\n` });
  });

  test("answers its operators' probes on a listener of its own", async () => {
    await logIn();
    const args = [...onLoopback(), "--operations-listen", "127.0.0.1:0"];
    const { process, url } = await start(args);
    const [, operations = ""] = await process.waitForLine(/^operations on (http:\/\/\S+)$/);
    const status = async (path: string) => (await fetch(operations + path)).status;
    expect(await status("/healthz")).toBe(200);
    expect(await status("/readyz")).toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(401);
    const figures = await (await fetch(`${operations}/metrics`)).text();
    expect(figures).toContain('code="unauthenticated"');
    process.kill("SIGTERM");
    expect(await process.exited).toMatchObject({ code: 0, stdout: `listening on ${url}\n` });
  });

  test("serves a client that reaches it under a name which --allow-host gives", async () => {
    await logIn();
    const { url } = await start([...onLoopback(), "--allow-host", "agent-proxy:8080"]);
    const authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
    const status = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        httpRequest(url, { headers: { host, authorization } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on("error", reject)
          .end();
      });
    expect(await status("agent-proxy:8080")).toBe(200);
    expect(await status("agent-proxy:8081")).toBe(403);
  });

  test("answers for an upstream that is silent for longer than --response-timeout", async () => {
    await logIn();
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const args = ["--upstream", `http://127.0.0.1:${port}`, "--open", "--response-timeout", "1s"];
    const { url } = await start([...onLoopback(), ...args]);
    const answer = await fetch(url);
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ code: "timeout" });
  });

  test("rejects a listener for operations that is no address, before it listens itself", async () => {
    await logIn();
    const args = [...onLoopback(), "--operations-listen", "9090"];
    const result = await countersign(args, options);
    expectError(result, "usage", 2);
    expect(result.stderr).toContain("--operations-listen: ");
    await expect(stat(tokenFile)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("sees a logout at once: nothing goes out without a credential", async () => {
    await logIn();
    const { url } = await start([...onLoopback(), "--open"]);
    await output(["logout"], options);
    const answer = await fetch(url);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: "not_logged_in" });
    expectUnused();
  });

  test("with the feature off does not start unless its upstream may get the human's token (G-P5)", async () => {
    await logIn();
    for (const more of [[], ["--bearer-origin", "https://api.example"]]) {
      const result = await countersign([...onLoopback(), "--open", ...more], {
        ...options,
        env: {},
      });
      expectError(result, "no_identity", 3);
      expect(result.stderr).toContain("use_agent_identity is off");
      expect(result.stderr).toContain(`--bearer-origin ${upstream.url}`);
    }
    expectUnused();
  });

  test("with the feature off passes the human's token on where that was asked for, and says so", async () => {
    await logIn();
    const args = [...onLoopback(), "--open", "--bearer-origin", upstream.url];
    const { process, url } = await start(args, {});
    expect((await fetch(url)).status).toBe(200);
    expect(headerOf(upstream.requests[0] ?? expect.unreachable(), "authorization")).toBe(
      "Bearer t0ken",
    );
    process.kill("SIGTERM");
    expect((await process.exited).stderr).toContain("use_agent_identity is off");
  });

  test("reports which thread has no task, and why; others go on", async () => {
    await logIn();
    const { process, url } = await start([...onLoopback(), "--open"]);
    expect((await fetch(url)).status).toBe(200);
    authority.fault("register_task", { kind: "status", status: 403, body: {} }, 9);
    const refused = await fetch(url, { headers: { "x-thread-id": "one" } });
    expect(refused.status).toBe(403);
    expect((await fetch(url)).status).toBe(200);
    process.kill("SIGTERM");
    expect((await process.exited).stderr).toMatch(
      /^warning: no task for the thread one: .* \(forbidden\)$/m,
    );
  });

  test("appends an audit line for each request", async () => {
    await logIn();
    const audit = join(folder.path, "audit.jsonl");
    const { process, url } = await start([...onLoopback(), "--open", "--audit", audit]);
    await fetch(`${url}/v1/x?secret=1`);
    process.kill("SIGTERM");
    await process.exited;
    const [entry] = (await readFile(audit, "utf8")).trim().split("\n");
    expect(JSON.parse(entry ?? "")).toMatchObject({ method: "GET", path: "/v1/x", status: 200 });
    await rm(audit);
  });
});
