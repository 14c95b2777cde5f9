import { connect } from "node:net";
import {
  headerOf,
  runProcess,
  startTestUpstream,
  type TestUpstream,
  type UpstreamAnswer,
} from "@countersign/testing";
import { expectRejection, startSource } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { AssertionProxyError } from "../src/refusal/assertion-proxy-error.js";
import { type ProxyEnv, type ProxyEnvOptions, proxyEnv } from "../src/signing/proxy-env.js";
import { ScriptedSource } from "./start-signing-proxy.js";

const CANARY = "sk-canary-9d2f6b1c48";
const PROGRAM = new URL("./proxy-env-program.ts", import.meta.url);
const KEYS = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"];
const HELD = Object.fromEntries(KEYS.map((name) => [name, CANARY]));

// It presents what it finds, as the clients do for which the variables are, and prints what it is answered.
const URLLIB = `
import os, urllib.request
request = urllib.request.Request(
    os.environ["OPENAI_BASE_URL"] + "/chat/completions",
    data=b"{}",
    headers={
        "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"],
        "x-api-key": os.environ["ANTHROPIC_API_KEY"],
    },
)
print(urllib.request.urlopen(request).read().decode())
`;

async function startUpstream(): Promise<TestUpstream> {
  const answer: UpstreamAnswer = { body: { answer: "hello" } };
  const upstream = await startTestUpstream(() => answer);
  onTestFinished(() => upstream.close());
  return upstream;
}

interface Started {
  readonly upstream: TestUpstream;
  readonly source: ScriptedSource;
  readonly proxy: ProxyEnv;
}

async function start(options: Partial<ProxyEnvOptions> = {}): Promise<Started> {
  const upstream = await startUpstream();
  const source = new ScriptedSource();
  const proxy = await proxyEnv(source, { upstream: upstream.url, env: {}, ...options });
  onTestFinished(() => proxy.close({ drainMs: 0 }));
  return { upstream, source, proxy };
}

/** Code of the error with which a connection to this URL fails; `undefined`: a program listens. */
async function connectionError(url: string): Promise<string | undefined> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  socket.on("connect", () => resolve(undefined));
  socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

/** Expects that the proxy of an ended process answers no more. Its port may be another program's by now, which does not answer as the proxy does. */
async function expectGone(url: string): Promise<void> {
  if ((await connectionError(url)) === "ECONNREFUSED") return;
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  expect((await answer?.text()) ?? "").not.toContain('"unauthenticated"');
}

function expectSigned({ requests }: TestUpstream): void {
  expect(requests).toHaveLength(1);
  for (const request of requests) {
    expect(headerOf(request, "authorization")).toMatch(/^AgentAssertion /);
    expect(headerOf(request, "x-api-key")).toBeUndefined();
  }
  expect(JSON.stringify(requests)).not.toContain(CANARY);
}

describe("proxyEnv refuses", () => {
  const source = new ScriptedSource();
  const options = { upstream: "https://api.example", env: {} };

  test.each([undefined, null, "thread-1", {}, { credentials: undefined }])(
    "%j for a thread",
    async (wrong) => {
      const started = proxyEnv(wrong as unknown as ScriptedSource, options);
      const error = await expectRejection(started, AssertionProxyError, "config_invalid");
      expect(error.message).toContain("signedBy");
    },
  );

  test.each([
    ["env", undefined],
    ["env", "PATH=/bin"],
    ["upstream", undefined],
    ["credentialMs", 0],
  ])("the %s %j", async (name, value) => {
    const wrong = { ...options, [name]: value } as ProxyEnvOptions;
    const started = proxyEnv(source, wrong);
    const error = await expectRejection(started, AssertionProxyError, "config_invalid");
    expect(error.message).toContain(name);
  });
});

test("takes no other token, name or address than its own, whatever it is given", async () => {
  const others = { clientToken: "open", allowRemote: true, allowedHosts: ["api.internal"] };
  const { proxy, upstream, source } = await start(others as Partial<ProxyEnvOptions>);
  expect(new URL(proxy.url).hostname).toBe("127.0.0.1");
  expect((await fetch(`${proxy.env.OPENAI_BASE_URL}/models`)).status).toBe(401);
  expect([source.calls, upstream.requests]).toEqual([[], []]);
});

test("replaces the keys of the given environment, and keeps the rest", async () => {
  const given = { PATH: "/bin", EMPTY: "", LEFT_OUT: undefined, NO_PROXY: "intern", ...HELD };
  const before = { ...given };
  const { proxy } = await start({ env: given });
  expect(given).toEqual(before);
  const { OPENAI_API_KEY: token = "" } = proxy.env;
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(proxy.env).toEqual({
    ...{ PATH: "/bin", EMPTY: "" },
    ...Object.fromEntries(KEYS.map((name) => [name, token])),
    ...{ OPENAI_BASE_URL: `${proxy.url}/v1`, ANTHROPIC_BASE_URL: proxy.url },
    ...{ NO_PROXY: "intern,127.0.0.1", no_proxy: "intern,127.0.0.1" },
  });
  const another = await start();
  expect(another.proxy.env.OPENAI_API_KEY).not.toBe(token);
  expect(another.proxy.env.NO_PROXY).toBe("127.0.0.1");
});

test.each([
  [{ no_proxy: "a.example", NO_PROXY: "b.example" }, "a.example,b.example,127.0.0.1"],
  [{ no_proxy: "a.example", NO_PROXY: "a.example" }, "a.example,127.0.0.1"],
  [{ NO_PROXY: "*" }, "*"],
  [{ no_proxy: "" }, "127.0.0.1"],
])("takes no host of %j off the proxies' exceptions", async (env, expected) => {
  const { proxy } = await start({ env });
  expect(proxy.env).toMatchObject({ NO_PROXY: expected, no_proxy: expected });
});

test.each([
  ["no token", {}],
  ["the parent's own key", { authorization: `Bearer ${CANARY}` }],
  ["another proxy's token", { authorization: `Bearer ${"a".repeat(43)}` }],
])("a program with %s gets nothing signed (G-P9)", async (_, headers) => {
  const { proxy, source, upstream } = await start({ env: HELD });
  const answer = await fetch(`${proxy.url}/v1/models`, { headers });
  expect([answer.status, await answer.json()]).toMatchObject([401, { code: "unauthenticated" }]);
  expect([source.calls, upstream.requests]).toEqual([[], []]);
});

test("signs every request in the one thread, whichever one it names", async () => {
  const { proxy, source, upstream } = await start();
  const authorization = `Bearer ${proxy.env.OPENAI_API_KEY}`;
  for (const thread of [{}, { "x-thread-id": "another" }]) {
    const headers = { authorization, ...thread };
    expect((await fetch(`${proxy.url}/v1/models`, { headers })).status).toBe(200);
  }
  expect(source.calls.filter((call) => call === "credential")).toHaveLength(2);
  expect(upstream.requests).toHaveLength(2);
});

test("a Python process with the environment is signed, and sends no key of its parent's (G-P9)", async () => {
  // Nothing can be reached by this proxy: port 9 of loopback discards.
  const env = { ...process.env, ...HELD, http_proxy: "http://127.0.0.1:9" };
  const { proxy, upstream } = await start({ env });
  const ended = await runProcess("python3", ["-c", URLLIB], { env: proxy.env });
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("hello") });
  expectSigned(upstream);
});

test("nothing listens once it was closed, or disposed of (G-P9)", async () => {
  const { proxy } = await start();
  expect(await connectionError(proxy.url)).toBeUndefined();
  await proxy.close();
  expect(await connectionError(proxy.url)).toBe("ECONNREFUSED");
  let { url } = proxy;
  {
    await using other = (await start()).proxy;
    url = other.url;
    expect(await connectionError(url)).toBeUndefined();
  }
  expect(await connectionError(url)).toBe("ECONNREFUSED");
});

describe("the process that started it", () => {
  const urlIn = (line: string): string => JSON.parse(line).ANTHROPIC_BASE_URL;

  test("ends although the proxy was not closed", async () => {
    const upstream = await startUpstream();
    const parent = await startSource(PROGRAM, upstream.url);
    const { code, stdout } = await parent.exited;
    expect(code).toBe(0);
    await expectGone(urlIn(stdout));
  });

  test("takes the proxy with it if it is killed (G-P9)", async () => {
    const upstream = await startUpstream();
    const parent = await startSource(PROGRAM, upstream.url, "stays");
    const [line] = await parent.waitForLine(/^\{.*\}$/);
    expect(await connectionError(urlIn(line))).toBeUndefined();
    parent.kill("SIGKILL");
    await parent.exited;
    await expectGone(urlIn(line));
  });
});
