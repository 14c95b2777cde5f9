import { readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createOidcIssuer } from "@countersign/agent-authority/oidc";
import type { TestProcess } from "@countersign/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { contentOf, countersign, expectError, json, startCountersign } from "./command-line.js";
import { type RealAuthority, startRealAuthority } from "./faults/real-authority.js";
import { FEATURE_ON, freshHome } from "./fresh-home.js";
import {
  API,
  answerDeviceLogin,
  CLIENT_ID,
  CONFIDENTIAL,
  OPAQUE_API,
  ProviderServer,
  type ProviderServerOptions,
} from "./oidc-provider-server.js";
import { serverWorld } from "./servers.js";

let home: string;
let folder: { readonly path: string };

beforeEach(async () => {
  ({ home, folder } = await freshHome());
});

async function startProvider(options?: ProviderServerOptions): Promise<ProviderServer> {
  const provider = await ProviderServer.start(options);
  onTestFinished(() => provider[Symbol.asyncDispose]());
  return provider;
}

/** An authority that takes ID tokens of the command line's client, and access tokens for itself, of two issuers. */
async function startAuthority(provider: ProviderServer, audience: string): Promise<RealAuthority> {
  const { issuer } = provider;
  const staff = createOidcIssuer({ name: "staff", issuer, audience, account: "acct-1" });
  const elsewhere = createOidcIssuer({
    name: "elsewhere",
    issuer: "https://login.example",
    audience,
    account: "acct-1",
  });
  return await startRealAuthority({ humans: [elsewhere, staff] });
}

function login(authority: string, issuer: string, more: readonly string[] = []): string[] {
  const client = more.includes("--client-id") ? [] : ["--client-id", CLIENT_ID];
  return ["login", "--authority", authority, "--device", "--issuer", issuer, ...client, ...more];
}

/** Starts the command and returns the URL and the code that it prints for its human. */
async function startLogin(
  args: readonly string[],
  env?: Record<string, string>,
): Promise<{ running: TestProcess; url: string; code: string; completeUrl: string }> {
  const running = await startCountersign(args, { home, env });
  onTestFinished(() => running[Symbol.asyncDispose]());
  const [, url = ""] = await running.waitForLine(/^open (\S+)$/);
  const [, code = ""] = await running.waitForLine(/^and enter the code (\S+)$/);
  const [, completeUrl = ""] = await running.waitForLine(/^or open (\S+) and compare the code$/);
  return { running, url, code, completeUrl };
}

const storedToken = async (): Promise<string> =>
  JSON.parse(await readFile(join(home, "credentials.json"), "utf8")).login.access_token;

describe("a device login that cannot be made leaves no home behind:", () => {
  const AUTHORITY = "https://authority.example";
  const ISSUER = "https://login.example";

  test.each([
    ["no issuer", ["--device", "--client-id", "a"], "usage"],
    ["no client", ["--device", "--issuer", ISSUER], "usage"],
    ["an issuer without --device", ["--issuer", ISSUER], "usage"],
    ["a client without --device", ["--client-id", "a"], "usage"],
    ["a scope without --device", ["--scope", "openid"], "usage"],
    ["an audience without --device", ["--audience", "a"], "usage"],
    ["a token beside it", login(AUTHORITY, ISSUER, ["--token-stdin"]).slice(3), "usage"],
    ["an identity JWT beside it", ["--device", "--identity-jwt-stdin"], "usage"],
    ["a named user", login(AUTHORITY, ISSUER, ["--account", "a", "--user", "b"]).slice(3), "usage"],
    [
      "a secret in an argument",
      login(AUTHORITY, ISSUER, ["--client-secret", "s3cret"]).slice(3),
      "usage",
    ],
    ["an issuer that is no URL", login(AUTHORITY, "login.example").slice(3), "config_invalid"],
    [
      "an issuer over plain http",
      login(AUTHORITY, "http://login.example").slice(3),
      "config_invalid",
    ],
  ])("%s", async (_, args, code) => {
    const result = await countersign(["login", "--authority", AUTHORITY, ...args], { home });
    expectError(result, code, 2);
    expect(result.stderr).not.toContain("s3cret");
    expect(contentOf(folder.path)).toEqual({});
  });

  test("an issuer that is not there", async () => {
    const provider = await startProvider();
    await provider[Symbol.asyncDispose]();
    expectError(await countersign(login(AUTHORITY, provider.issuer), { home }), "unreachable", 5);
  });

  test("an issuer without a device login", async () => {
    const provider = await startProvider({ deviceFlow: false });
    expectError(
      await countersign(login(AUTHORITY, provider.issuer), { home }),
      "config_invalid",
      2,
    );
  });

  test("a client that the issuer does not know", async () => {
    const { issuer } = await startProvider();
    const args = login(AUTHORITY, issuer, ["--client-id", "stranger"]);
    const result = await countersign(args, { home });
    expectError(result, "refused", 4);
    expect(result.stderr).toContain("invalid_client");
    expect(contentOf(folder.path)).toEqual({});
  });

  test("an issuer that speaks for another, sends elsewhere, or never ends (G-A8)", async () => {
    const requests: string[] = [];
    const listen = async (handle: (base: string) => RequestListener) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      server.on("request", handle(base));
      return base;
    };
    const answer = (body: (base: string) => unknown) => (base: string) => {
      const handle: RequestListener = (_, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(body(base)));
      };
      return handle;
    };
    const elsewhere = await listen(() => (request, response) => {
      requests.push(String(request.url));
      response.end();
    });
    const issuers = [
      await listen(answer(() => ({ issuer: "https://login.example" }))),
      await listen(answer((base) => ({ issuer: base, filler: "a".repeat(1_100_000) }))),
      await listen(() => (_, response) => {
        response.writeHead(302, { location: elsewhere }).end();
      }),
      await listen(() => (_, response) => {
        response.writeHead(200, { "content-type": "text/html" }).end("<html>");
      }),
    ];
    for (const issuer of issuers) {
      expectError(await countersign(login(AUTHORITY, issuer), { home }), "bad_response", 1);
    }
    // Where it says that its codes are is plain http to another machine: nothing is sent there.
    const plain = await listen(
      answer((base) => ({
        issuer: base,
        device_authorization_endpoint: "http://login.example/device",
        token_endpoint: "http://login.example/token",
      })),
    );
    expectError(await countersign(login(AUTHORITY, plain), { home }), "config_invalid", 2);
    expect(requests).toEqual([]);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("its human denies it", async () => {
    const { issuer } = await startProvider();
    const { running, completeUrl } = await startLogin(login(AUTHORITY, issuer));
    await answerDeviceLogin(completeUrl, "deny");
    expectError(await running.exited, "refused", 4);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("the code is not confirmed before it expires", async () => {
    const { issuer } = await startProvider({ codeSeconds: 2 });
    const result = await countersign(login(AUTHORITY, issuer), { home });
    expectError(result, "timeout", 5);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("its human interrupts it", async () => {
    const { issuer } = await startProvider();
    const { running } = await startLogin(login(AUTHORITY, issuer));
    running.kill("SIGINT");
    expectError(await running.exited, "cancelled", 1);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("an authority that does not take the token", async () => {
    const provider = await startProvider();
    const { url } = await startAuthority(provider, "https://other.example");
    const { running, completeUrl } = await startLogin(login(url, provider.issuer));
    await answerDeviceLogin(completeUrl, { login: "user-1" });
    const result = await running.exited;
    expectError(result, "unauthenticated", 4);
    // Why, is for the operator.
    expect(result.stderr).not.toContain("audience");
    expect(contentOf(folder.path)).toEqual({});
  });

  test("an API whose tokens are opaque", async () => {
    const provider = await startProvider();
    const { url } = await startAuthority(provider, OPAQUE_API);
    const args = login(url, provider.issuer, ["--resource", OPAQUE_API]);
    const { running, completeUrl } = await startLogin(args);
    await answerDeviceLogin(completeUrl, { login: "user-1" });
    expectError(await running.exited, "bad_response", 1);
  });
});

describe("login --device", () => {
  test("keeps the ID token for the authority, which knows its user, and an agent registers with it", async () => {
    const provider = await startProvider();
    const { url, registry } = await startAuthority(provider, CLIENT_ID);
    const env = { COUNTERSIGN_ACCESS_TOKEN: "not-for-anybody" };
    const {
      running,
      completeUrl,
      code,
      url: page,
    } = await startLogin(login(url, provider.issuer, ["--json", "--proof", "biscuit"]), env);
    expect(page).toBe(`${provider.issuer}/device`);
    expect(completeUrl).toBe(`${page}?user_code=${code}`);
    await answerDeviceLogin(completeUrl, { login: "user-1" });
    const result = await running.exited;
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toEqual({
      authority: url,
      account_id: "acct-1",
      user_id: "staff:user-1",
      proof: "biscuit",
    });
    const token = await storedToken();
    expect(
      JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()),
    ).toMatchObject({ iss: provider.issuer, aud: CLIENT_ID, sub: "user-1" });
    for (const part of token.split(".")) expect(result.stdout + result.stderr).not.toContain(part);
    const options = { home, env: FEATURE_ON };
    const { agent_runtime_id: agentRuntimeId } = await json(["task", "ensure"], options);
    const agent = await registry.getAgent(agentRuntimeId);
    expect(agent).toMatchObject({ accountId: "acct-1", userId: "staff:user-1" });
    // As long as agents of such humans live: thirty days.
    expect(Date.parse(String(agent?.expiresAt)) - Date.parse(String(agent?.createdAt))).toBe(
      30 * 86_400_000,
    );
  });

  test("keeps the access token for an API that was asked for, and no refresh token (G-A8)", async () => {
    const provider = await startProvider();
    const { url } = await startAuthority(provider, API);
    const more = ["--resource", API, "--scope", "openid offline_access register"];
    const { running, completeUrl } = await startLogin(login(url, provider.issuer, more));
    await answerDeviceLogin(completeUrl, { login: "user-2" });
    const result = await running.exited;
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stdout).toBe(`logged in with ${url} as staff:user-2 of acct-1\n`);
    const token = await storedToken();
    const decode = (part = "") => JSON.parse(Buffer.from(part, "base64url").toString());
    expect(decode(token.split(".")[0])).toMatchObject({ typ: "at+jwt" });
    expect(decode(token.split(".")[1])).toMatchObject({ aud: API });
    expect(await readFile(join(home, "credentials.json"), "utf8")).not.toContain("refresh");
  });

  test("works with an authority whose file names the issuer, and whose account is a claim", async () => {
    const provider = await startProvider();
    const world = await serverWorld();
    const file = join(world.folder.path, "authority.toml");
    await writeFile(
      file,
      `[[oidc]]
name = "staff"
issuer = "${provider.issuer}"
audience = "${API}"
account = { claim = "client_id", allowed = ["${CLIENT_ID}"] }
require = { scope = "register" }
`,
    );
    const { url } = await world.serve(["--config", file]);
    const more = ["--resource", API, "--scope", "openid register", "--json"];
    const { running, completeUrl } = await startLogin(login(url, provider.issuer, more));
    await answerDeviceLogin(completeUrl, { login: "user-1" });
    const result = await running.exited;
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({
      account_id: `staff:${CLIENT_ID}`,
      user_id: "staff:user-1",
    });
  });

  test("takes the secret of its client from the environment, where the client has one", async () => {
    const provider = await startProvider();
    const { url } = await startAuthority(provider, CONFIDENTIAL.clientId);
    const more = ["--client-id", CONFIDENTIAL.clientId, "--client-secret", "env:CLIENT_SECRET"];
    const { running, completeUrl } = await startLogin(login(url, provider.issuer, more), {
      CLIENT_SECRET: CONFIDENTIAL.secret,
    });
    await answerDeviceLogin(completeUrl, { login: "user-1" });
    const result = await running.exited;
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stdout + result.stderr).not.toContain(CONFIDENTIAL.secret);
  });
});
