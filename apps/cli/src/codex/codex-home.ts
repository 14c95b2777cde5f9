import { stringify } from "smol-toml";
import { quoteArgument } from "../text/quote-argument.js";
import { codexVariables, kindOfGeneration } from "./codex-generation.js";

const PROVIDER = "countersign";
const NEWEST_CODEX = kindOfGeneration("C");

/** What a Codex configuration is made of. */
export interface CodexConfigOptions {
  /** Base URL of the authority. */
  readonly authority: string;
  /** Base URL of the gateway; Codex posts to `/responses` below it. */
  readonly gateway: string;
}

/**
 * Makes the `config.toml` with which Codex registers with the authority and sends its turns to the gateway. Every generation reads it: a feature
 * that a version does not have is ignored there.
 *
 * @see docs/protocol.md §5.1: the authority serves its routes under `/backend-api` too, which is where Codex expects them
 */
export function createCodexConfig({ authority, gateway }: CodexConfigOptions): string {
  return stringify({
    model_provider: PROVIDER,
    chatgpt_base_url: chatgptBaseUrlOf(authority),
    // Codex 0.122 asks its vendor for the list of models under the login's token, whatever the provider is; the gateway refuses that.
    openai_base_url: gateway,
    // An authority has no events, connectors and plugins; each run would ask it for them, and 0.150 and newer shows that it failed.
    analytics: { enabled: false },
    features: { use_agent_identity: true, apps: false, plugins: false },
    model_providers: {
      [PROVIDER]: {
        name: "Countersign gateway",
        base_url: gateway,
        wire_api: "responses",
        // The human's login is what an agent registers with; without it Codex takes the provider for one without any login.
        requires_openai_auth: true,
        // A gateway verifies each request; one assertion for a long-lived socket would outlive its time.
        supports_websockets: false,
      },
    },
  });
}

/**
 * Makes the `env` of a Codex home for a POSIX shell: what `codex run` sets, for any version, since older ones ignore what they do not know.
 *
 * @param codexHome - absolute
 */
export function createCodexEnv(codexHome: string, authority: string): string {
  const destination = { authority, chatgptBaseUrl: chatgptBaseUrlOf(authority) };
  const variables = { CODEX_HOME: codexHome, ...codexVariables(NEWEST_CODEX, destination) };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoteArgument(value)}`);
  return `${lines.join("\n")}\n`;
}

function chatgptBaseUrlOf(authority: string): string {
  return `${authority}/backend-api`;
}

/** What a Codex login is made of. */
export interface CodexAuthOptions {
  readonly accountId: string;
  readonly userId: string;
  /** Secret. The authority's access token. */
  readonly accessToken: string;
  /** Epoch ms. */
  readonly now: number;
}

/** Makes the `auth.json` that says to Codex who is logged in, in its own order of members. */
export function createCodexAuth({ accountId, userId, accessToken, now }: CodexAuthOptions): string {
  const auth = {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: {
      id_token: createIdToken(accountId, userId),
      access_token: accessToken,
      // There is nothing to refresh: when the token ends, a new one is exported.
      refresh_token: "none",
      account_id: accountId,
    },
    last_refresh: new Date(now).toISOString(),
  };
  return JSON.stringify(auth, undefined, 2);
}

// Codex reads the claims of this token and verifies nothing; it proves nothing to anybody. The authority decides by the access token.
function createIdToken(accountId: string, userId: string): string {
  const header = { alg: "none", typ: "JWT" };
  const claims = {
    "https://api.openai.com/auth": {
      chatgpt_account_id: accountId,
      chatgpt_user_id: userId,
      user_id: userId,
    },
  };
  // Codex takes an empty third part for a broken token.
  const parts = [JSON.stringify(header), JSON.stringify(claims), "unsigned"];
  return parts.map((part) => Buffer.from(part).toString("base64url")).join(".");
}
