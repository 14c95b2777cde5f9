import { comparableName } from "../head/field-names.js";
import { fieldValues, listed, type RawFields } from "../head/raw-fields.js";
import { createTokenCheck } from "../head/token-check.js";
import { createSecretSearch } from "./secret-search.js";

// Fields whose whole value is a key. The first is the proxy's own in any case.
const KEY_FIELD = "x-api-key";
const OTHER_KEY_FIELDS = ["api-key", "x-goog-api-key"];

// Clients of realtime APIs that cannot set a field send their key as one of the subprotocols that they offer.
const KEY_PROTOCOL = "openai-insecure-api-key.";
const BEARER = /^bearer +([!-~]+)$/i;

/** The token that clients of a signing proxy present. */
export interface ClientToken {
  /**
   * Takes another token in place of this one.
   *
   * @throws {AssertionProxyError} `config_invalid` for a token of another form; nothing is changed then
   */
  replace(token: string): void;
  /** Returns whether the text that a client presented is the token. */
  readonly isEqual: (presented: string) => boolean;
  /** Returns whether a text of the client contains the token, in any form that `createSecretSearch` finds. */
  readonly isIn: (text: string) => boolean;
}

/**
 * Makes the checks of a client token. Both take the same time however much of the token a text has.
 *
 * @param token - 16 to 512 visible ASCII characters; 256 random bits are a good one
 * @throws {AssertionProxyError} `config_invalid` for a token of another form; the message does not show it
 */
export function createClientToken(token: string): ClientToken {
  let isEqual = createTokenCheck("clientToken", token);
  let isIn = createSecretSearch(token);
  return {
    replace(other) {
      isEqual = createTokenCheck("clientToken", other);
      isIn = createSecretSearch(other);
    },
    isEqual: (presented) => isEqual(presented),
    isIn: (text) => isIn(text),
  };
}

/**
 * Returns the comparable names of the fields whose whole value is the client token: `x-api-key`, `api-key` and `x-goog-api-key`.
 *
 * @param forwardHeaders - names of fields that the operator lets pass: their values are for the upstream
 */
export function keyFieldsBeside(forwardHeaders: readonly string[]): readonly string[] {
  const named = new Set(forwardHeaders.map(comparableName));
  return [KEY_FIELD, ...OTHER_KEY_FIELDS.filter((name) => !named.has(name))];
}

/**
 * Reads what a client presents as the client token: in `Authorization: Bearer`, in each field of keys, and as the subprotocol
 * `openai-insecure-api-key.TOKEN`.
 *
 * @param keyFields - as {@link keyFieldsBeside} returns them
 * @returns what each of these places holds; an `Authorization` of another form holds the empty string
 */
export function presentedTokens(
  fields: RawFields,
  keyFields: readonly string[],
): readonly (readonly string[])[] {
  const authorizations = fieldValues(fields, "authorization");
  const protocols = listed(fields, "sec-websocket-protocol");
  return [
    authorizations.map((value) => BEARER.exec(value)?.[1] ?? ""),
    ...keyFields.map((name) => fieldValues(fields, name)),
    protocols
      .filter((item) => item.startsWith(KEY_PROTOCOL))
      .map((item) => item.slice(KEY_PROTOCOL.length)),
  ];
}
