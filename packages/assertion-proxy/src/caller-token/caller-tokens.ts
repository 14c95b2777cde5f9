import { randomBytes, sign } from "node:crypto";
import type { VerifiedAssertion } from "@countersign/agent-assertion";
import { CALLER_TOKEN_OPTIONS, checkOption, checkOptions } from "../limits/option-checks.js";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import { replaceableKeys } from "./signing-keys.js";

/** Options of {@link createCallerTokens}. */
export interface CallerTokenOptions {
  /** The name of the upstream, `aud`: 1 to 255 visible ASCII characters. The upstream refuses tokens that are for another one. */
  readonly audience: string;
  /** The name of the gateway, `iss`, as `audience`. Default `countersign`. */
  readonly issuer?: string | undefined;
  /**
   * Ed25519 keys in PKCS#8 PEM that several processes share: the first one signs, all are published. Default none: each process makes its own and
   * replaces it each day.
   */
  readonly keys?: string | undefined;
  /** The clock of the tokens, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** Signs who the verified caller of a request is, for the upstream. */
export interface CallerTokens {
  /** Signs a token of 60 seconds. */
  sign(caller: VerifiedAssertion): string;
  /** Returns the public keys, a JSON Web Key Set (RFC 7517) as text. */
  jwks(): string;
  /**
   * Takes other keys. The first one signs from now on; the former ones stay in {@link CallerTokens.jwks} for 120 seconds, which is longer than
   * the last token that they signed.
   *
   * @param keys - as the option `keys`; all of them
   * @throws {AssertionProxyError} `config_invalid` for a text without such a key; nothing is changed then
   */
  setKeys(keys: string): void;
}

/** The field in which the upstream gets the token. */
export const CALLER_TOKEN_FIELD = "x-agent-caller-token";

const TYPE = "agent-caller+jwt";
const DEFAULT_ISSUER = "countersign";
const TOKEN_SECONDS = 60;
// As long again for an upstream whose clock is late.
const PUBLISHED_MS = 2 * TOKEN_SECONDS * 1000;
const NAME = /^[!-~]{1,255}$/;

/**
 * Makes what signs caller tokens: a JWT (RFC 7519, EdDSA) with the verified facts about the caller of one request, which the upstream checks by
 * the keys of `/.well-known/jwks.json`. An upstream that checks it needs no secret in common with the gateway.
 *
 * @throws {AssertionProxyError} `config_invalid`, naming the option, if one is missing or wrong
 * @see protocol.md §14
 */
export function createCallerTokens(options: CallerTokenOptions): CallerTokens {
  checkOptions(options, CALLER_TOKEN_OPTIONS);
  const { audience, issuer = DEFAULT_ISSUER, now = Date.now } = options;
  checkName("audience", audience);
  checkName("issuer", issuer);
  const keys = replaceableKeys(options.keys, PUBLISHED_MS);
  return {
    sign(caller) {
      const ms = now();
      const { privateKey, jwk } = keys.current(ms);
      const issuedAt = Math.floor(ms / 1000);
      const input = [
        { alg: jwk.alg, typ: TYPE, kid: jwk.kid },
        {
          iss: issuer,
          aud: audience,
          sub: caller.agentRuntimeId,
          authority: caller.authority,
          task_id: caller.taskId,
          account_id: caller.accountId,
          user_id: caller.userId,
          capabilities: caller.capabilities,
          iat: issuedAt,
          exp: issuedAt + TOKEN_SECONDS,
          jti: randomBytes(16).toString("base64url"),
        },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      return `${input}.${sign(null, Buffer.from(input), privateKey).toString("base64url")}`;
    },
    jwks: () => JSON.stringify({ keys: keys.published(now()) }),
    setKeys(pem) {
      checkOption("keys", pem, { ...CALLER_TOKEN_OPTIONS.keys, optional: false });
      keys.replace(pem, now());
    },
  };
}

function checkName(option: string, name: string): void {
  if (NAME.test(name)) return;
  throw new AssertionProxyError(
    "config_invalid",
    `${option} must be 1 to 255 visible ASCII characters`,
  );
}
