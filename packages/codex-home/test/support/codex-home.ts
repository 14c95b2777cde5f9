import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AgentIdentity,
  AgentIdentityManager,
  type CredentialStore,
  createAuthSlot,
  fileStore,
} from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import type { TestAuthority } from "@countersign/testing";
import { openAuthority, openDirectory } from "@countersign/testing/vitest";
import { onTestFinished } from "vitest";
import { codexAuth } from "../../src/codex-auth.js";
import { codexAuthStore } from "../../src/codex-auth-store.js";

/** A private key as Codex stores it. */
export const CODEX_KEY = AgentKey.generate().exportPkcs8();

/** A JWT with these claims and without a valid signature. */
export function createToken(claims: unknown): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.c2VjcmV0LXNpZ25hdHVyZQ`;
}

/** `tokens` of `auth.json`. */
export function createTokens(
  accountId = "acct-1",
  userId = "user-1",
  accessToken = "secret-access",
) {
  const claims = { "https://api.openai.com/auth": { chatgpt_user_id: userId } };
  return {
    id_token: createToken(claims),
    access_token: accessToken,
    refresh_token: "secret-refresh",
    account_id: accountId,
  };
}

/** `auth.json` as generation A leaves it behind. */
export function createAuth(members: Readonly<Record<string, unknown>> = {}) {
  return {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: createTokens(),
    last_refresh: "2026-03-23T12:00:00.123456Z",
    ...members,
  };
}

/** `agent_identity` of generation A. */
export const IDENTITY_A = {
  workspace_id: "acct-1",
  chatgpt_user_id: "user-1",
  agent_runtime_id: "agent_a",
  agent_private_key: CODEX_KEY,
  registered_at: "2026-03-23T12:00:00Z",
};

/** `agent_identity` of generation C. */
export const IDENTITY_C = {
  agent_runtime_id: "agent_c",
  agent_private_key: CODEX_KEY,
  account_id: "acct-1",
  chatgpt_user_id: "user-1",
  email: "",
  plan_type: "team",
  chatgpt_account_is_fedramp: false,
  task_id: "task_1",
};

/** A Codex home with an `auth.json` (text, or a value to lay out), and a home beside it. */
export async function openCodexHome(auth?: unknown, authority = "https://authority.example") {
  const root = await openDirectory();
  const file = join(root, "auth.json");
  const write = async (value: unknown, mode = 0o600) => {
    const text = typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
    await writeFile(file, text, { mode });
  };
  if (auth !== undefined) await write(auth);
  const home = join(root, "home");
  const reopen = (other = authority) =>
    codexAuthStore(root, { authority: other, beside: fileStore(home) });
  return {
    root,
    file,
    home,
    write,
    reopen,
    store: reopen(),
    text: () => readFile(file, "utf8"),
    value: async () => JSON.parse(await readFile(file, "utf8")),
    beside: async () => JSON.parse(await readFile(join(home, "credentials.json"), "utf8")),
    mode: async () => (await stat(file)).mode & 0o777,
  };
}

/** A Codex home logged in to a test authority, with what a harness makes of it. */
export async function openCodexAgent(members: Readonly<Record<string, unknown>> = {}) {
  const authority: TestAuthority = await openAuthority();
  const home = await openCodexHome(undefined, authority.url);
  /** Logs in as `codex login` does: writes the whole file again, with `agent_identity` as it was. */
  const logIn = async (accountId: string, userId: string, more: object = {}) => {
    const accessToken = authority.addHuman({ accountId, userId });
    await home.write(createAuth({ tokens: createTokens(accountId, userId, accessToken), ...more }));
  };
  await logIn("acct-1", "user-1", members);
  const manager = new AgentIdentityManager({
    authority: authority.url,
    auth: codexAuth(home.root, { authority: authority.url }),
    store: home.store,
    attempts: 3,
  });
  onTestFinished(() => manager.close());
  return { ...home, authority, logIn, manager };
}

/** A manager over a store, for a human whom its authority knows. */
export async function openManager(store: CredentialStore) {
  const authority: TestAuthority = await openAuthority();
  const human = { accountId: "acct-1", userId: "user-1" };
  const auth = createAuthSlot({ kind: "human", ...human, accessToken: authority.addHuman(human) });
  const manager = new AgentIdentityManager({ authority: authority.url, auth, store });
  onTestFinished(() => manager.close());
  return { authority, manager };
}

/** The private key of an agent, as a home keeps it. */
export function privateKeyOf(identity: AgentIdentity | undefined): string | undefined {
  return identity?.key instanceof AgentKey ? identity.key.exportPkcs8() : undefined;
}
