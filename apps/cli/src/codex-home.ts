import { stringify } from "smol-toml";

const PROVIDER = "countersign";

/** What a Codex configuration is made of. */
export interface CodexConfigOptions {
  /** Base URL of the authority. */
  readonly authority: string;
  /** Base URL of the gateway; Codex posts to `/responses` below it. */
  readonly gateway: string;
}

/**
 * Makes the `config.toml` with which Codex (generation A, 0.122) registers with the authority and sends its turns to the gateway.
 *
 * @see docs/protocol.md §4: the authority serves its routes under `/backend-api` too, which is where Codex expects them
 */
export function createCodexConfig({ authority, gateway }: CodexConfigOptions): string {
  return stringify({
    model_provider: PROVIDER,
    chatgpt_base_url: `${authority}/backend-api`,
    features: { use_agent_identity: true },
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
