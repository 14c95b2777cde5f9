import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { faultsOfWording } from "@countersign/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { AssertionProxyError } from "../src/refusal/assertion-proxy-error.js";
import { createSigningProxy } from "../src/signing/signing-proxy.js";
import { ByteWatcher } from "./byte-watcher.js";
import { startRawUpstream } from "./raw-upstream.js";
import { ScriptedSource, startSigningProxy } from "./start-signing-proxy.js";

const run = promisify(execFile);
const STRANGER = 65_534;
const isRoot = process.getuid?.() === 0;

async function openDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "signing-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

async function failureAt(socketPath: string): Promise<unknown> {
  const proxy = createSigningProxy({
    upstream: "https://api.example",
    source: () => new ScriptedSource(),
  });
  onTestFinished(() => proxy.close());
  const error = await proxy.listen({ socketPath }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!AssertionProxyError.is(error)) return error;
  expect(faultsOfWording(error)).toEqual([]);
  return error.code;
}

/** Sends bytes to a socket and returns all that comes until the other side closes. */
async function sendTo(path: string, text: string): Promise<string> {
  const socket = connect(path);
  const bytes = new ByteWatcher(socket);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.write(text, "latin1");
  await bytes.closed;
  return bytes.text;
}

/** Leaves a socket behind on which no process listens, as a killed process does. */
async function leaveStale(path: string): Promise<void> {
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  await run(process.execPath, ["-e", script]).catch(() => {});
}

describe("the socket of a signing proxy is refused", () => {
  test("in a directory that others may enter (G-P2)", async () => {
    const directory = await openDirectory();
    for (const mode of [0o755, 0o710, 0o701]) {
      await chmod(directory, mode);
      expect(await failureAt(join(directory, "proxy.sock"))).toBe("store_denied");
    }
    expect(await readdir(directory)).toEqual([]);
  });

  test.skipIf(!isRoot)("in another user's directory (needs root to set up)", async () => {
    const directory = await openDirectory();
    await chown(directory, STRANGER, STRANGER);
    expect(await failureAt(join(directory, "proxy.sock"))).toBe("store_denied");
  });

  test("in a directory that is a link, a file, or not there", async () => {
    const directory = await openDirectory();
    await mkdir(join(directory, "real"), { mode: 0o700 });
    await symlink(join(directory, "real"), join(directory, "link"));
    await writeFile(join(directory, "file"), "", { mode: 0o600 });
    for (const name of ["link", "file", "missing"]) {
      expect(await failureAt(join(directory, name, "proxy.sock"))).toBe("store_denied");
    }
    expect(await readdir(join(directory, "real"))).toEqual([]);
  });

  test("where a file or a link is, which stays", async () => {
    const directory = await openDirectory();
    await writeFile(join(directory, "file"), "kept");
    await symlink(join(directory, "file"), join(directory, "link"));
    for (const name of ["file", "link"]) {
      expect(await failureAt(join(directory, name))).toBe("config_invalid");
    }
    expect((await readdir(directory)).sort()).toEqual(["file", "link"]);
  });

  test("under a relative or too long path", async () => {
    const directory = await openDirectory();
    expect(await failureAt("proxy.sock")).toBe("config_invalid");
    expect(await failureAt(join(directory, "x".repeat(100)))).toBe("config_invalid");
  });

  test("where another program listens, which goes on (G-P2)", async () => {
    const directory = await openDirectory();
    const path = join(directory, "proxy.sock");
    const server = createServer((socket) => socket.on("error", () => {}).end("alive"));
    server.listen(path);
    await once(server, "listening");
    onTestFinished(() => void server.close());
    expect(await failureAt(path)).toBe("address_in_use");
    expect(await sendTo(path, "")).toBe("alive");
    expect(await readdir(directory)).toEqual(["proxy.sock"]);
  });
});

describe("a signing proxy on a socket", () => {
  async function start() {
    const directory = await openDirectory();
    const socketPath = join(directory, "proxy.sock");
    const upstream = await startRawUpstream();
    const options = { upstream: upstream.url, listen: { socketPath } };
    return { directory, socketPath, upstream, options };
  }

  test("asks for no token, and for no host of its own", async () => {
    const { directory, socketPath, upstream, options } = await start();
    const signing = await startSigningProxy(options);
    expect(signing.url).toBe(`unix:${socketPath}`);
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    const lines = "Authorization: Bearer own-secret\r\nConnection: close\r\n";
    const answer = await sendTo(socketPath, `GET /v1 HTTP/1.1\r\nHost: any\r\n${lines}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    const { bytes } = await upstream.connection(0);
    expect(bytes.text).toMatch(/^authorization: AgentAssertion /im);
    expect(bytes.text).not.toContain("own-secret");
    await signing.proxy.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test("needs no token to be made, and asks for none where there is one", async () => {
    const { socketPath, options } = await start();
    await startSigningProxy({ ...options, clientToken: undefined });
    const text = "GET /v1 HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n";
    expect(await sendTo(socketPath, text)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each([
    ["a page's request", "Host: any\r\nOrigin: https://page.example\r\n", 403],
    ["two hosts", "Host: any\r\nHost: other\r\n", 403],
    ["no host", "", 403],
    ["a bad thread", "Host: any\r\nX-Thread-Id: a b\r\n", 400],
  ])("still refuses %s", async (_, lines, status) => {
    const { socketPath, upstream, options } = await start();
    const signing = await startSigningProxy(options);
    const answer = await sendTo(
      socketPath,
      `GET /v1 HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`,
    );
    expect(answer.slice(9, 12)).toBe(String(status));
    expect(signing.source.calls).toEqual([]);
    expect(upstream.connections).toHaveLength(0);
  });

  test("takes the place of a socket that was left behind", async () => {
    const { directory, socketPath, options } = await start();
    await leaveStale(socketPath);
    expect(await readdir(directory)).toEqual(["proxy.sock"]);
    const signing = await startSigningProxy(options);
    const text = "GET /v1 HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n";
    expect(await sendTo(socketPath, text)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await readdir(directory)).toEqual(["proxy.sock"]);
    await signing.proxy.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test.skipIf(!isRoot)("is out of another user's reach (needs root to set up) (G-P2)", async () => {
    const { directory, socketPath, upstream, options } = await start();
    const signing = await startSigningProxy(options);
    const asStranger = async (): Promise<string> => {
      const script = `process.setgid(${STRANGER}); process.setuid(${STRANGER});
        const socket = require("node:net").connect(${JSON.stringify(socketPath)});
        socket.on("error", (error) => console.log(error.code));
        socket.on("connect", () => { console.log("connected"); socket.destroy(); });`;
      return (await run(process.execPath, ["-e", script])).stdout.trim();
    };
    expect(await asStranger()).toBe("EACCES");
    // Were the directory opened later, the socket's own mode still keeps others out.
    await chmod(directory, 0o755);
    expect(await asStranger()).toBe("EACCES");
    expect(signing.source.calls).toEqual([]);
    expect(upstream.connections).toHaveLength(0);
  });
});
