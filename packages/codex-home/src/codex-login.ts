import type { StoredLogin, UnreadableMember } from "@countersign/agent-identity";
import { describeIssues } from "@countersign/agent-identity";
import { decodeBase64Url } from "@countersign/agent-key";
import {
  codexAgentClaimsSchema,
  codexIdClaimsSchema,
  codexLoginSchema,
  codexTokensSchema,
} from "./codex-schema.js";

/** What the caller says of a Codex login, since nothing in the file is trusted to say it. */
export interface CodexLoginOptions {
  /** Normalised base URL. */
  readonly authority: string;
  readonly proof: "bearer" | "biscuit";
}

/** Who is logged in to Codex; `unreadable`: somebody is, but who cannot be read. */
export interface CodexLogin {
  readonly login: StoredLogin | null;
  readonly unreadable?: UnreadableMember | undefined;
}

// "chatgptAuthTokens": a program around Codex keeps the tokens fresh.
const HUMAN_MODES = ["chatgpt", "chatgptAuthTokens"];
const NO_LOGIN: CodexLogin = { login: null };

/**
 * Reads the login of Codex. An API key is not a login, because it names no account and no user that an agent could act for.
 *
 * Tokens are not verified here. The user is the one that the id token names. The authority decides by the access token, and its answer to a
 * registration names the account and the user that the access token belongs to.
 */
export function parseCodexLogin(
  file: Readonly<Record<string, unknown>>,
  options: CodexLoginOptions,
): CodexLogin {
  const parsed = codexLoginSchema.safeParse(file);
  if (!parsed.success) return unreadable(describeIssues(parsed.error), file.auth_mode);
  const { tokens, last_refresh: loggedInAt } = parsed.data;
  const identityJwt = file.agent_identity;
  const mode = parsed.data.auth_mode ?? guessMode(parsed.data, identityJwt);
  // Generation C works as the agent of an object alone; no human's token and no identity JWT is there.
  if (mode === "agentIdentity" && isObject(identityJwt)) return NO_LOGIN;
  if (mode === "agentIdentity") return parseIdentityJwtLogin(identityJwt, loggedInAt, options);
  if (!HUMAN_MODES.includes(mode) || tokens === null || tokens === undefined) return NO_LOGIN;
  return parseHumanLogin(tokens, loggedInAt, options);
}

// As Codex reads files from before there was an `auth_mode`.
function guessMode(login: { readonly [name: string]: unknown }, identityJwt: unknown): string {
  const { OPENAI_API_KEY: apiKey, tokens } = login;
  if (apiKey !== null && apiKey !== undefined) return "apikey";
  const hasTokens = tokens !== null && tokens !== undefined;
  return !hasTokens && typeof identityJwt === "string" ? "agentIdentity" : "chatgpt";
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function parseHumanLogin(
  value: unknown,
  loggedInAt: string,
  { authority, proof }: CodexLoginOptions,
): CodexLogin {
  const tokens = codexTokensSchema.safeParse(value);
  if (!tokens.success) return unreadable(`tokens: ${describeIssues(tokens.error)}`, value);
  const claims = codexIdClaimsSchema.safeParse(parseClaims(tokens.data.id_token));
  const user = claims.data?.["https://api.openai.com/auth"];
  const userId = user?.chatgpt_user_id ?? user?.user_id;
  if (userId === undefined || userId === null) {
    return unreadable("tokens.id_token: names no user", value);
  }
  return {
    login: {
      authority,
      account_id: tokens.data.account_id,
      user_id: userId,
      kind: "human",
      proof,
      access_token: tokens.data.access_token,
      logged_in_at: loggedInAt,
    },
  };
}

function parseIdentityJwtLogin(
  token: unknown,
  loggedInAt: string,
  { authority }: CodexLoginOptions,
): CodexLogin {
  if (typeof token !== "string") return unreadable("agent_identity: no identity JWT", token);
  const claims = codexAgentClaimsSchema.safeParse(parseClaims(token));
  if (!claims.success) return unreadable("agent_identity: names no account and user", token);
  return {
    login: {
      authority,
      account_id: claims.data.account_id,
      user_id: claims.data.chatgpt_user_id,
      kind: "agent",
      identity_token: token,
      logged_in_at: loggedInAt,
    },
  };
}

/** The claims of a JWT, unverified; `undefined` if the text is not a JWT. */
export function parseClaims(token: string): unknown {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    return JSON.parse(Buffer.from(decodeBase64Url(parts[1] ?? "")).toString("utf8"));
  } catch {
    // Neither the token nor the parser's words, which quote it, may be shown.
    return undefined;
  }
}

function unreadable(problem: string, value: unknown): CodexLogin {
  return { login: null, unreadable: { member: "login", problem, value } };
}
