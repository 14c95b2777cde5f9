import type { OptionShape } from "@countersign/agent-key";
import type { Auth, AuthSource } from "../auth.js";
import {
  AUTHORITY_URL,
  CLOCK_TOLERANCE,
  checkOption,
  checkOptions,
  KEY_SET,
  OPTIONAL_CLOCK,
} from "../internal/options.js";
import { VerifiedOnce } from "./verified-once.js";
import type { IdentityJwtOptions } from "./verify-identity-jwt.js";

const NAME: OptionShape = { type: "text", expected: "a text that is not empty", optional: true };
const SHAPES: Readonly<Record<string, OptionShape>> = {
  authority: AUTHORITY_URL,
  keySet: KEY_SET,
  issuer: NAME,
  audience: NAME,
  clockToleranceSeconds: CLOCK_TOLERANCE,
  now: OPTIONAL_CLOCK,
};

/** Options of {@link identityJwtAuth}. */
export interface IdentityJwtAuthOptions extends IdentityJwtOptions {
  /**
   * The identity JWT, or a function that returns the current one; `undefined` from it: there is no login. Secret: the token holds the
   * agent's private key. It is verified here and sent nowhere.
   */
  readonly token: string | (() => string | undefined | Promise<string | undefined>);
}

/**
 * An auth source that stands on an identity JWT: the agent comes with its key, so nothing is registered for it and no human is needed.
 *
 * The token is verified at first use, once for all who ask, and again when it becomes another one. From its `exp` (and the tolerance) on
 * every call is refused. A failed verification is tried again at the next call.
 *
 * `current` rejects with what `verifyIdentityJwt` throws.
 *
 * @throws {AgentKeyError} `config_invalid`, naming the option, if one is missing or wrong
 * @see docs/protocol.md §13.2 (generation B), §10
 */
export function identityJwtAuth(options: IdentityJwtAuthOptions): AuthSource {
  checkOptions(options, SHAPES);
  const { token: source, ...verification } = options;
  if (typeof source !== "function") {
    checkOption("token", source, {
      type: "text",
      expected: "an identity JWT, or a function that returns one",
    });
  }
  const verified = new VerifiedOnce();
  const ask = async (how: "current" | "peek"): Promise<Auth | undefined> => {
    const token = typeof source === "function" ? await source() : source;
    return token === undefined ? undefined : await verified[how](token, verification);
  };
  return { current: () => ask("current"), peek: () => ask("peek") };
}
