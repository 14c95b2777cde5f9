import type { AgentIdentity, HumanAuth, memoryStore } from "@countersign/agent-identity";
import { AgentKey, type CredentialSource } from "@countersign/agent-key";
import { pkcs8OfSeed, type TestAuthority } from "@countersign/testing";
import { freshWorld } from "../fresh-home.js";

/** A secret token, of a human or of another role. */
export const TOKEN = "canary-token-5f1d0c";
/** A password of a database. */
export const PASSWORD = "canary-password-9b2e";

const SEED = Buffer.from("c0ffee5eedc0ffee5eedc0ffee5eedc0ffee5eedc0ffee5eedc0ffee5eedbeef", "hex");
const WHEN = "2026-03-23T12:00:00Z";

/** What objects with secrets are made of, and every form that their secrets are looked for in. */
export interface SecretWorld {
  readonly authority: TestAuthority;
  /** A folder of its own. */
  readonly folder: string;
  readonly key: AgentKey;
  readonly human: HumanAuth;
  readonly identity: AgentIdentity;
  /** Gives the agent's credential. */
  readonly source: CredentialSource;
  /** A content of stores with a login, an identity and what cannot be read. */
  readonly content: Parameters<Parameters<ReturnType<typeof memoryStore>["update"]>[0]>[0];
  /** Looks for one more secret. */
  addSecret(text: string): void;
  /** The secrets that a text shows. */
  secretsIn(text: string): readonly string[];
}

/** Makes a {@link SecretWorld} that ends with the test. */
export async function startSecretWorld(): Promise<SecretWorld> {
  const { authority, folder } = await freshWorld();
  const whose = { accountId: "acct-1", userId: "user-1" };
  authority.addHuman({ ...whose, accessToken: TOKEN });
  const key = AgentKey.importPkcs8(pkcs8OfSeed(SEED));
  const secrets = new Set([TOKEN, PASSWORD, ...formsOf(key)]);
  const owner = { authority: authority.url, account_id: "acct-1", user_id: "user-1" };
  const credential = {
    kind: "agent",
    authority: authority.url,
    agentRuntimeId: "agent_1",
    taskId: "task_1",
    key,
  } as const;
  const entry = { ...owner, private_key: key.exportPkcs8(), next_private_key: key.exportPkcs8() };
  return {
    authority,
    folder: folder.path,
    key,
    human: { kind: "human", ...whose, accessToken: TOKEN },
    identity: {
      ...whose,
      authority: authority.url,
      agentRuntimeId: "agent_1",
      key,
      registeredAt: WHEN,
    },
    source: {
      credential: async () => credential,
      refused: async () => undefined,
      accepted: () => {},
    },
    content: {
      version: 1,
      login: { ...owner, kind: "human", proof: "bearer", access_token: TOKEN, logged_in_at: WHEN },
      identities: [{ ...entry, state: "registered", agent_runtime_id: "agent_1" }],
      unreadable: [{ member: "identities", problem: "is no identity", value: { ...entry } }],
    },
    addSecret: (text) => void secrets.add(text),
    secretsIn: (text) => [...secrets].filter((secret) => text.includes(secret)),
  };
}

// As a text, and as buffers and arrays are printed.
function formsOf(key: AgentKey): readonly string[] {
  const start = SEED.subarray(0, 8);
  const spaced = start.toString("hex").replace(/..(?!$)/g, "$& ");
  const encoded = (["hex", "base64", "base64url"] as const).map((form) => SEED.toString(form));
  return [key.exportPkcs8(), ...encoded, spaced, start.join(", ")];
}
