import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assertion from "@countersign/agent-assertion";
import { assertionAdapter } from "@countersign/agent-assertion/axios";
import { signedFetch, withAssertion } from "@countersign/agent-assertion/fetch";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { bindRequestAsync, headerAsync } from "@countersign/agent-assertion/sign-async";
import { assertionInterceptor } from "@countersign/agent-assertion/undici";
import { assertionHeaders, dialWithAssertion } from "@countersign/agent-assertion/websocket";
import * as registry from "@countersign/agent-authority";
import { remoteRegistry } from "@countersign/agent-authority/remote-registry";
import * as identity from "@countersign/agent-identity";
import * as authorityClient from "@countersign/agent-identity/authority-client";
import * as identityJwt from "@countersign/agent-identity/identity-jwt";
import { keyringStore } from "@countersign/agent-identity/keyring-store";
import * as server from "@countersign/agent-identity/server";
import { AgentKey } from "@countersign/agent-key";
import { signPlainTaskRegistration, signTaskRegistration } from "@countersign/agent-task";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import * as ai from "@countersign/ai";
import {
  createAuthorizer,
  createCallerTokens,
  createSigningProxy,
  createVerifyingGateway,
  proxyEnv,
} from "@countersign/assertion-proxy";
import { codexAuth, codexAuthStore, loadCodexAgent } from "@countersign/codex-home";
import { pacedBy } from "@countersign/testing";
import { onTestFinished } from "vitest";
import { createDatabase, postgresAnswers } from "../postgres.js";
import {
  axios,
  connectedAgentOf,
  contentsOf,
  createIdentities,
  createTasks,
  errorOf,
  issueToken,
  makeTokens,
  openSqlite,
  StoredOnly,
  writeCodexHome,
} from "./make-holders.js";
import { PASSWORD, type SecretWorld, TOKEN } from "./secret-world.js";

/** Makes objects that hold secrets of a world, and errors about them. */
type Make = (world: SecretWorld) => Promise<unknown> | unknown;

const origins = ["https://api.example"];

/** Every public export that takes or makes a secret, by `package[/entry] name`, with what it makes. */
export const HOLDERS: Readonly<Record<string, Make>> = {
  "agent connectAgent": connectedAgentOf,
  "ai aiSdk": ({ source }) => ai.aiSdk(source, { baseURL: origins[0] ?? "" }),
  "ai anthropic": ({ source }) => ai.anthropic(source, { baseURL: origins[0] ?? "" }),
  "ai langchain": ({ source }) => ai.langchain(source, { baseURL: origins[0] ?? "" }),
  "ai mcp": ({ source }) => ai.mcp(source, origins[0] ?? ""),
  "ai openai": ({ source }) => ai.openai(source, { baseURL: origins[0] ?? "" }),
  "agent-key AgentKey": ({ key }) => [
    key,
    { ...key },
    key.toX25519PrivateKey(),
    errorOf(() => AgentKey.importPkcs8(`${key.exportPkcs8().slice(0, -8)}AAAA`)),
  ],
  "agent-identity createAuthSlot": ({ human, identity: agent }) => {
    const slot = identity.createAuthSlot(human);
    const before = slot.current();
    slot.set({ kind: "agent", identity: agent });
    return [slot, before, slot.current()];
  },
  "agent-identity fixedAuth": ({ human }) => {
    const auth = identity.fixedAuth(human);
    return [auth, auth.current()];
  },
  "agent-identity loginAuth": async ({ authority, content }) => {
    const store = identity.memoryStore();
    await store.update(() => content);
    const auth = identity.loginAuth(store, authority.url);
    return [auth, await auth.current(), await auth.peek?.()];
  },
  "agent-identity saveLogin": ({ content: { login } }) => {
    const broken = { ...login, account_id: "no id" } as identity.StoredLogin;
    return errorOf(() => identity.saveLogin(identity.memoryStore(), broken));
  },
  "agent-identity memoryStore": ({ content }) => contentsOf(identity.memoryStore(), content),
  "agent-identity withFormerKey": ({ content, key }) =>
    (content?.identities ?? []).map(
      (entry) => new StoredOnly(identity.withFormerKey(entry, key.publicKey.line)),
    ),
  "agent-identity fileStore": async ({ folder, content }) => {
    const home = join(folder, "home");
    const store = identity.fileStore(home);
    const contents = await contentsOf(store, content);
    await writeFile(join(home, "credentials.json"), `{"login": "${TOKEN}`);
    return [...contents, await errorOf(() => store.load())];
  },
  "agent-identity/keyring-store keyringStore": ({ folder, content }) => {
    const entries = new Map<string, Uint8Array>();
    const openEntry = (_: string, account: string) => ({
      getSecret: async () => entries.get(account),
      setSecret: async (secret: Uint8Array) => void entries.set(account, Uint8Array.from(secret)),
      deleteCredential: async () => entries.delete(account),
    });
    return contentsOf(keyringStore({ directory: folder, openEntry }), content);
  },
  "codex-home codexAuthStore": async (world) => {
    const beside = identity.memoryStore();
    await beside.update(() => world.content);
    const home = await writeCodexHome(world);
    const store = codexAuthStore(home, { authority: world.authority.url, beside });
    return [store, new StoredOnly(await store.load())];
  },
  "codex-home codexAuth": async (world) => {
    const auth = codexAuth(await writeCodexHome(world), { authority: world.authority.url });
    return [auth, await auth.current()];
  },
  "codex-home loadCodexAgent": async (world) => await loadCodexAgent(await writeCodexHome(world)),
  "agent-identity AgentIdentityManager": async (world) => {
    const manager = createIdentities(world, true);
    const made = await manager.ensure();
    world.addSecret((made?.key as AgentKey | undefined)?.exportPkcs8() ?? "");
    return [manager, made, await manager.peek(), await manager.auth()];
  },
  "agent-identity/authority-client createKeyRotationRequest": ({ authority, key }) =>
    authorityClient.createKeyRotationRequest(
      { authority: authority.url, agentRuntimeId: "agent_1", timestamp: "2026-03-23T12:00:00Z" },
      { current: key, next: key },
    ),
  "agent-identity/server parseBiscuitRequestHeaders": ({ authority }) =>
    server.parseBiscuitRequestHeaders(
      authorityClient.createBiscuitRequestHeaders({
        accessToken: TOKEN,
        method: "POST",
        url: authority.url,
        requestId: "r",
      }),
    ),
  "agent-identity/authority-client AuthorityClient": async ({ authority }) => {
    const client = new authorityClient.AuthorityClient({
      authority: authority.url,
      attempts: 3,
      ...pacedBy(),
    });
    await client.whoami(TOKEN);
    const body = `no ${TOKEN}`;
    authority.fault("whoami", { kind: "status", status: 403, body });
    const refused = await errorOf(() => client.whoami(TOKEN));
    return [client, refused, await errorOf(() => client.whoami(`${TOKEN}\n`))];
  },
  "agent-identity/identity-jwt identityJwtAuth": async (world) => {
    const { token, verification } = issueToken(world);
    const auth = identityJwt.identityJwtAuth({ token, ...verification });
    return [auth, await auth.current()];
  },
  "agent-identity/identity-jwt verifyIdentityJwt": async (world) => {
    const { token, verification } = issueToken(world);
    const other = { ...verification, audience: "other" };
    return [
      await identityJwt.verifyIdentityJwt(token, verification),
      await errorOf(() => identityJwt.verifyIdentityJwt(token, other)),
      await errorOf(() => identityJwt.verifyIdentityJwt(token.slice(3), verification)),
    ];
  },
  "agent-identity/identity-jwt createIdentityJwtLogin": async (world) => {
    const { token, verification } = issueToken(world);
    return new StoredOnly(await identityJwt.createIdentityJwtLogin(token, verification));
  },
  "agent-identity/server createSigningKey": async ({ addSecret }) => {
    const key = await server.createSigningKey();
    addSecret(String(key.privateJwk.d));
    return key;
  },
  "agent-identity/server signIdentityJwt": ({ key }) =>
    errorOf(() =>
      server.signIdentityJwt(
        { accountId: "a", userId: "u", agentRuntimeId: "i", key, issuedAt: 1000, expiresAt: 2000 },
        { privateKey: { kty: "RSA", d: TOKEN }, kid: "k" },
      ),
    ),
  "agent-task AgentTaskManager": async (world) => {
    const on = createTasks(world, true);
    const task = await on.ensure("thread-1");
    world.addSecret((task?.key as AgentKey | undefined)?.exportPkcs8() ?? "");
    const turn = await on.thread("thread-1").run(async (given) => given);
    const off = createTasks(world, false).thread("thread-1");
    const human = await off.run(async (given) => given);
    world.authority.fault("register_task", { kind: "status", status: 403 });
    const declined = await errorOf(() => on.ensure("thread-2"));
    world.authority.clearFaults();
    world.authority.fault("register_task", { kind: "status", status: 503 }, 9);
    const fallback = await on.thread("thread-3").credential();
    return [on, off, task, turn, human, declined, fallback];
  },
  "agent-task/sealed-box openSealedBox": ({ key }) =>
    errorOf(() => openSealedBox(Buffer.alloc(64), key)),
  "agent-task signTaskRegistration": ({ key }) =>
    signTaskRegistration("agent_1", key, "2026-03-23T12:00:00Z"),
  "agent-task signPlainTaskRegistration": ({ key }) =>
    signPlainTaskRegistration(
      {
        authority: "https://authority.example",
        agentRuntimeId: "agent_1",
        timestamp: "2026-03-23T12:00:00Z",
      },
      key,
    ),
  "agent-assertion AssertionSigner": async ({ source }) => {
    const signer = new assertion.AssertionSigner();
    const credential = await source.credential();
    if (credential.kind === "agent") await headerAsync(signer, credential);
    return [signer, credential];
  },
  "agent-assertion bindRequest": async ({ source, authority }) => {
    const credential = await source.credential();
    if (credential.kind !== "agent") throw new Error("no agent");
    const authorization = await headerAsync(new assertion.AssertionSigner(), credential);
    const { url: targetUri } = authority;
    return await bindRequestAsync({
      credential,
      authorization,
      method: "GET",
      targetUri,
      body: undefined,
    });
  },
  "agent-assertion createVerifier": ({ authority }) => {
    const directory = remoteDirectory(authority.url, { token: TOKEN });
    onTestFinished(() => directory.close?.());
    return assertion.createVerifier({ directory });
  },
  "agent-assertion/remote-directory remoteDirectory": async ({ authority }) => {
    const directory = remoteDirectory(authority.url, { token: TOKEN });
    onTestFinished(() => directory.close?.());
    authority.fault("directory", { kind: "status", status: 403, body: `no ${TOKEN}` });
    const failed = await errorOf(() => directory.agent("agent_0"));
    return [
      directory,
      failed,
      errorOf(() => remoteDirectory(authority.url, { token: `${TOKEN}\n` })),
    ];
  },
  "agent-assertion/fetch withAssertion": ({ source }) => withAssertion(fetch, source, { origins }),
  "agent-assertion/fetch signedFetch": ({ source }) => signedFetch(fetch, source, { origins }),
  "agent-assertion/axios assertionAdapter": ({ source }) =>
    assertionAdapter(axios, source, { origins }),
  "agent-assertion/undici assertionInterceptor": ({ source }) =>
    assertionInterceptor(source, { origins }),
  "agent-assertion/websocket assertionHeaders": ({ source }) =>
    assertionHeaders(source, { origins }),
  "agent-assertion/websocket dialWithAssertion": ({ source }) =>
    dialWithAssertion(source, { origins }),
  "agent-authority openStore": async () => {
    const store = await openSqlite();
    const url = `postgres://user:${PASSWORD}@127.0.0.1:1/none`;
    const unreachable = await errorOf(() => registry.openStore(url));
    if (!(await postgresAnswers())) return [store, unreachable];
    const database = new URL(await createDatabase());
    // A server that trusts its own machine takes any password.
    database.password ||= PASSWORD;
    const postgres = await registry.openStore(database.href);
    onTestFinished(() => postgres.close());
    return [store, unreachable, postgres];
  },
  "agent-authority createAuthority": async ({ addSecret }) => {
    const store = await openSqlite();
    const authority = await registry.createAuthority({ store, generations: ["B", "C"] });
    onTestFinished(() => authority.close());
    await makeTokens(authority.registry, addSecret);
    return authority;
  },
  "agent-authority createRegistry": async ({ addSecret }) => {
    const made = registry.createRegistry(await openSqlite(), { generations: ["B", "C"] });
    return [made, ...(await makeTokens(made, addSecret)), await made.listAccessTokens()];
  },
  "agent-authority databaseDirectory": async () =>
    registry.databaseDirectory(await openSqlite(), "https://authority.example"),
  "agent-authority databaseReplayStore": async () =>
    registry.databaseReplayStore(await openSqlite()),
  "agent-authority/remote-registry remoteRegistry": async ({ addSecret }) => {
    const authority = await registry.createAuthority({
      store: await openSqlite(),
      generations: ["B", "C"],
    });
    onTestFinished(() => authority.close());
    const { token } = await authority.registry.createAccessToken({
      ...{ accountId: "acct-1", userId: "user-1", role: "operate", ttlSeconds: 60 },
      scopes: ["tokens"],
    });
    addSecret(token);
    const { url } = await authority.listenAdmin({ host: "127.0.0.1", port: 0 });
    const made = remoteRegistry({ url, token });
    const stranger = remoteRegistry({ url, token: TOKEN });
    const refused = await errorOf(() => stranger.listAgents());
    return [made, ...(await makeTokens(made, addSecret)), refused];
  },
  "assertion-proxy createAuthorizer": ({ authority }) => {
    const directory = remoteDirectory(authority.url, { token: TOKEN });
    onTestFinished(() => directory.close?.());
    const options = {
      verifier: assertion.createVerifier({ directory }),
      accounts: "any",
      gateway: "nginx",
    } as const;
    return [
      createAuthorizer({ ...options, gatewayToken: TOKEN }),
      errorOf(() => createAuthorizer({ ...options, gatewayToken: `${TOKEN}\n` })),
    ];
  },
  "assertion-proxy createCallerTokens": ({ addSecret }) => {
    const keys = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
    addSecret(String(keys));
    return [
      createCallerTokens({ audience: "api", keys: String(keys) }),
      errorOf(() => createCallerTokens({ audience: "api", keys: `${TOKEN}` })),
    ];
  },
  "assertion-proxy createSigningProxy": async ({ source }) => {
    const proxy = createSigningProxy({
      upstream: "https://api.example",
      source: () => source,
      clientToken: TOKEN,
      upstreamTls: { key: PASSWORD },
    });
    onTestFinished(() => proxy.close({ drainMs: 0 }));
    await proxy.listen({ host: "127.0.0.1", port: 0 });
    return proxy;
  },
  "assertion-proxy createVerifyingGateway": ({ authority }) => {
    const directory = remoteDirectory(authority.url, { token: TOKEN });
    onTestFinished(() => directory.close?.());
    const options = {
      verifier: assertion.createVerifier({ directory }),
      upstream: "https://api.example",
      accounts: "any",
      upstreamTls: { key: PASSWORD },
    } as const;
    const authorization = `Bearer ${TOKEN}`;
    const broken = { ...options, upstreamHeaders: { authorization: `${authorization}\n` } };
    return [
      createVerifyingGateway({ ...options, upstreamHeaders: { authorization } }),
      errorOf(() => createVerifyingGateway(broken)),
    ];
  },
  "assertion-proxy proxyEnv": async ({ source, addSecret }) => {
    const proxy = await proxyEnv(source, { upstream: "https://api.example", env: {} });
    onTestFinished(() => proxy.close({ drainMs: 0 }));
    const { OPENAI_API_KEY: token = "" } = proxy.env;
    addSecret(token);
    return proxy;
  },
};
