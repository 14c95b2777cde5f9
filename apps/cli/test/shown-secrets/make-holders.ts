import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ConnectAgentOptions, connectAgent } from "@countersign/agent";
import type { assertionAdapter } from "@countersign/agent-assertion/axios";
import { type AuthorityStore, openStore, type Registry } from "@countersign/agent-authority";
import {
  AgentIdentityManager,
  type CredentialStore,
  fixedAuth,
  memoryStore,
} from "@countersign/agent-identity";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { pinnedKeySet } from "@countersign/agent-identity/identity-jwt";
import type { AgentKey } from "@countersign/agent-key";
import { AgentTaskManager } from "@countersign/agent-task";
import { pacedBy } from "@countersign/testing";
import { expect, onTestFinished } from "vitest";
import { createCodexAuth } from "../../src/codex/codex-home.js";
import { type SecretWorld, TOKEN } from "./secret-world.js";

/** What a store serialises: JSON shows its secrets, an inspection does not. */
export class StoredOnly {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

const never = () => expect.unreachable();

/** Axios, for what is made and never called: nothing is sent. */
export const axios = {
  ...{ getAdapter: never, getUri: never, AxiosHeaders: never, AxiosError: never },
} as unknown as Parameters<typeof assertionAdapter>[0];

/** The error that a call throws. */
export async function errorOf(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("the call was to fail with an error");
}

/** A store, and what it gives of a content. */
export async function contentsOf(store: CredentialStore, content: SecretWorld["content"]) {
  const given = await store.update(() => content);
  const loaded = await store.load();
  const { login, identities } = loaded;
  const stored = [given, loaded, login, ...identities].map((value) => new StoredOnly(value));
  return [store, ...stored];
}

export function createIdentities({ authority, human }: SecretWorld, on: boolean) {
  const identities = new AgentIdentityManager({
    authority: authority.url,
    auth: fixedAuth(human),
    store: memoryStore(),
    features: { isEnabled: () => on },
    client: new AuthorityClient({ authority: authority.url, attempts: 3, ...pacedBy() }),
  });
  onTestFinished(() => identities.close());
  return identities;
}

/** A connected agent after its first turn, what it gives, and its errors. */
export async function connectedAgentOf(world: SecretWorld) {
  const { url } = world.authority;
  const options: ConnectAgentOptions = {
    ...{ authority: url, accessToken: TOKEN, home: join(world.folder, "agent"), origins: [url] },
  };
  const agent = connectAgent(options);
  onTestFinished(() => agent.close());
  const thread = agent.thread("thread-1");
  const turn = await thread.run(async (given) => given);
  world.addSecret((turn.task?.key as AgentKey | undefined)?.exportPkcs8() ?? "");
  const wrong = { ...options, accessToken: [TOKEN] } as unknown as ConnectAgentOptions;
  const broken = connectAgent({ ...options, accessToken: () => `${TOKEN}\n` });
  return [
    agent,
    thread,
    turn,
    errorOf(() => connectAgent(wrong)),
    errorOf(() => broken.thread("thread-1").fetch(url)),
  ];
}

export function createTasks(world: SecretWorld, on: boolean) {
  const identities = createIdentities(world, on);
  const bearerOrigins = ["https://api.example"];
  const tasks = new AgentTaskManager({ identities, onFailure: "bearer", bearerOrigins });
  onTestFinished(() => tasks.close());
  return tasks;
}

/** An identity JWT, and what it is verified by. */
export function issueToken({ authority, addSecret }: SecretWorld) {
  const whose = { accountId: "acct-1", userId: "user-1" };
  const { token, privateKey } = authority.issueIdentityJwt(whose);
  addSecret(token);
  addSecret(privateKey);
  const keySet = pinnedKeySet(authority.issuer.keySet);
  return { token, verification: { authority: authority.url, keySet } };
}

export async function writeCodexHome({ folder, human, key }: SecretWorld): Promise<string> {
  const home = join(folder, "codex");
  await mkdir(home, { mode: 0o700 });
  const auth = {
    ...JSON.parse(createCodexAuth({ ...human, accessToken: TOKEN, now: Date.now() })),
    agent_identity: {
      workspace_id: human.accountId,
      chatgpt_user_id: human.userId,
      agent_runtime_id: "agent_1",
      agent_private_key: key.exportPkcs8(),
      registered_at: "2026-03-23T12:00:00Z",
    },
  };
  await writeFile(join(home, "auth.json"), JSON.stringify(auth), { mode: 0o600 });
  return home;
}

export async function openSqlite(): Promise<AuthorityStore> {
  const store = await openStore("sqlite::memory:");
  onTestFinished(() => store.close());
  return store;
}

/** An access token and an identity JWT as a registry gives them. */
export async function makeTokens(registry: Registry, addSecret: (text: string) => void) {
  const whose = { accountId: "acct-1", userId: "user-1", ttlSeconds: 60 };
  const created = await registry.createAccessToken({ ...whose, role: "human" });
  const issued = await registry.issueIdentity(whose);
  addSecret(created.token);
  addSecret(issued.token);
  return [created, issued];
}
