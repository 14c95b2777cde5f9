import { writeFile } from "node:fs/promises";
import http from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestIdentityIssuer, runProcess } from "@countersign/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { countersign } from "./command-line.js";
import { freshHome } from "./fresh-home.js";
import { CLIENT_ID, ProviderServer } from "./oidc-provider-server.js";
import { type ConnectProxy, startConnectProxy } from "./proxied/connect-proxy.js";
import { CERTIFICATE_FILE, startTlsFront } from "./proxied/start-tls-front.js";
import { type ServerWorld, serverWorld } from "./servers.js";

const ASK = fileURLToPath(new URL("processes/ask-authority.ts", import.meta.url));
// Further members say what is left of limits.
const ANSWERED = {
  client: expect.objectContaining({ accountId: "acct-1", userId: "user-1" }),
  directory: "unknown",
};
const NO_PROXIES = Object.fromEntries(
  ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [
    [name, undefined],
    [name.toLowerCase(), undefined],
  ]),
);

let world: ServerWorld;
let proxy: ConnectProxy;
let port: number;
let tokens: Readonly<Record<string, string>>;

beforeEach(async () => {
  world = await serverWorld();
  proxy = await startConnectProxy();
  port = Number(new URL((await world.serve()).url).port);
  tokens = {
    HUMAN_TOKEN: await world.createToken(),
    SERVER_TOKEN: await world.createToken("resource_server"),
  };
});

/** What an agent's client and a verifier's directory are answered, in a process with these variables. */
async function ask(authority: string, env: Readonly<Record<string, string>>): Promise<unknown> {
  const { stdout, stderr, code } = await runProcess(process.execPath, [ASK, authority], {
    env: {
      ...NO_PROXIES,
      ...tokens,
      NODE_OPTIONS: undefined,
      NODE_USE_ENV_PROXY: "1",
      NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE,
      ...env,
    },
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe("with NODE_USE_ENV_PROXY=1", () => {
  test("a proxy that refuses is an authority that cannot be reached, and the hint names the proxy", async () => {
    const { url, asked } = await startConnectProxy({ refuses: true });
    const failed = { code: "unreachable", hint: expect.stringContaining("HTTPS_PROXY") };
    const outcome = await ask("https://authority.test", { HTTPS_PROXY: url });
    expect(outcome).toEqual({ client: failed, directory: failed });
    expect(asked).toEqual(["authority.test:443", "authority.test:443"]);
  });

  test("a proxy that does not answer holds client and directory no longer than their deadlines, and no caller that leaves", async () => {
    const { url, asked } = await startConnectProxy({ isSilent: true });
    const env = { HTTPS_PROXY: url, DEADLINE_MS: "500" };
    const outcome = await ask("https://authority.test", env);
    const late = { code: "timeout", hint: expect.any(String) };
    expect(outcome).toEqual({ client: late, directory: late, left: { code: "cancelled" } });
    expect(asked).toHaveLength(3);
  });

  test("proxies that the program itself names are followed too", async ({ skip }) => {
    if (!("setGlobalProxyFromEnv" in http)) skip("this Node has no http.setGlobalProxyFromEnv()");
    const program = fileURLToPath(new URL("processes/name-proxy.mjs", import.meta.url));
    const env = {
      NODE_USE_ENV_PROXY: "0",
      NODE_OPTIONS: `--import=${program}`,
      OWN_PROXY: proxy.url,
    };
    expect(await ask(`http://authority.test:${port}`, env)).toEqual(ANSWERED);
    expect(proxy.asked).toHaveLength(2);
  });

  test("client and directory reach an https authority by the proxy of HTTPS_PROXY", async () => {
    const front = await startTlsFront(port);
    const authority = `https://authority.test:${front}`;
    expect(await ask(authority, { HTTPS_PROXY: proxy.url })).toEqual(ANSWERED);
    // Both by one tunnel: the connection is kept.
    expect(proxy.asked).toEqual([`authority.test:${front}`]);
  });

  test("client and directory reach an http authority by the proxy of HTTP_PROXY", async () => {
    const authority = `http://authority.test:${port}`;
    expect(await ask(authority, { http_proxy: proxy.url })).toEqual(ANSWERED);
    expect(
      proxy.asked.map((asked) => new URL(`http://${asked.replace("http://", "")}`).host),
    ).toEqual([`authority.test:${port}`, `authority.test:${port}`]);
  });

  test("NO_PROXY keeps a host from the proxy", async () => {
    // This machine under a name that is not loopback's.
    const authority = `http://0.0.0.0:${port}`;
    expect(await ask(authority, { HTTP_PROXY: proxy.url })).toEqual(ANSWERED);
    expect(proxy.asked).toHaveLength(2);
    const env = { HTTP_PROXY: proxy.url, NO_PROXY: "other.test,0.0.0.0" };
    expect(await ask(authority, env)).toEqual(ANSWERED);
    expect(proxy.asked).toHaveLength(2);
  });

  test("loopback is reached directly, by http and https", async () => {
    const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
    expect(await ask(`http://127.0.0.1:${port}`, env)).toEqual(ANSWERED);
    expect(await ask(`http://localhost:${port}`, env)).toEqual(ANSWERED);
    expect(await ask(`https://localhost:${await startTlsFront(port)}`, env)).toEqual(ANSWERED);
    expect(proxy.asked).toEqual([]);
  });
});

describe("with NODE_USE_ENV_PROXY=1 an OIDC issuer", () => {
  const ENV = { ...NO_PROXIES, NODE_USE_ENV_PROXY: "1", NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE };
  let provider: ProviderServer;
  let home: string;
  let folder: { readonly path: string };

  beforeEach(async () => {
    provider = await ProviderServer.start({ deviceFlow: false });
    onTestFinished(() => provider[Symbol.asyncDispose]());
    ({ home, folder } = await freshHome());
  });

  /** Has the keys of an issuer looked up for the check of a token, which none of them has signed. */
  async function check(issuer: string, env: Readonly<Record<string, string>>): Promise<string> {
    const config = join(folder.path, "authority.toml");
    const keys = `name = "staff"\naudience = "api"\naccount = "a"\njwks_uri = "${issuer}/jwks"`;
    await writeFile(config, `[[oidc]]\nissuer = "${issuer}"\n${keys}\n`, { mode: 0o600 });
    const args = ["authority", "oidc", "check", "--config", config];
    const { sign } = createTestIdentityIssuer();
    const input = sign({ iss: issuer, aud: "api", sub: "ada", exp: 4_102_444_800 });
    const { stdout } = await countersign(args, { home, env: { ...ENV, ...env }, input });
    return stdout;
  }

  test("on loopback is asked for its keys directly, by http and https", async () => {
    const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
    const front = await startTlsFront(Number(new URL(provider.issuer).port));
    for (const issuer of [provider.issuer, `https://localhost:${front}`]) {
      expect(await check(issuer, env)).toContain("staff: signature: seen");
    }
    expect(provider.requests).toEqual(["/jwks", "/jwks"]);
    expect(proxy.asked).toEqual([]);
  });

  test("elsewhere is asked for its keys by the proxy of HTTPS_PROXY", async () => {
    const front = await startTlsFront(Number(new URL(provider.issuer).port));
    const issuer = `https://authority.test:${front}`;
    expect(await check(issuer, { HTTPS_PROXY: proxy.url })).toContain("staff: signature: seen");
    expect(proxy.asked).toEqual([`authority.test:${front}`]);
  });

  test("on loopback is logged in to directly", async () => {
    const device = ["--device", "--issuer", provider.issuer, "--client-id", CLIENT_ID];
    const args = ["login", "--authority", `http://127.0.0.1:${port}`, ...device];
    const env = { ...ENV, HTTP_PROXY: proxy.url };
    const { stderr } = await countersign(args, { home, env });
    expect(stderr).toContain("has no device login");
    expect(provider.requests).toEqual(["/.well-known/openid-configuration"]);
    expect(proxy.asked).toEqual([]);
  });
});

test("without NODE_USE_ENV_PROXY the variables are not followed", async () => {
  const env = { HTTP_PROXY: proxy.url, NODE_USE_ENV_PROXY: "0" };
  expect(await ask(`http://0.0.0.0:${port}`, env)).toEqual(ANSWERED);
  expect(proxy.asked).toEqual([]);
});
