import { AgentAssertionError } from "../agent-assertion-error.js";
import type { AssertionOptions, OwnAuthorization } from "./assertion-options.js";

/** Fields, in lower case, in which API clients send a key besides `Authorization`. */
export const KEY_FIELDS: readonly string[] = ["x-api-key", "api-key", "x-goog-api-key"];

/** Fields, in lower case, that may hold a credential of a request's caller. No request takes them from a named URL to one that is not. */
export const CREDENTIAL_FIELDS: readonly string[] = ["authorization", ...KEY_FIELDS];

/** What a transport does with the credentials of its callers. */
export interface OwnCredentialRule {
  readonly ownAuthorization: OwnAuthorization;
  /** Fields that a request with a credential of ours does not keep. */
  readonly replacedFields: readonly string[];
}

/**
 * Reads what to do with the credentials of callers.
 *
 * @throws {AgentAssertionError} `config_invalid` if `keepFields` names a field that is not one of the key fields
 */
export function ownCredentialRule(options: AssertionOptions): OwnCredentialRule {
  const { ownAuthorization = "replace", keepFields = [] } = options;
  const kept = new Set(keepFields.map(keptField));
  if (ownAuthorization === "keep") return { ownAuthorization, replacedFields: [] };
  const replacedFields = CREDENTIAL_FIELDS.filter((name) => !kept.has(name));
  return { ownAuthorization, replacedFields };
}

/** The credential fields of a request, in lower case. */
export function credentialFieldsIn(has: (name: string) => boolean): readonly string[] {
  return CREDENTIAL_FIELDS.filter(has);
}

/** The same fields without those of these names, in lower case; those that stay keep their case. */
export function withoutFields<Value>(
  fields: Readonly<Record<string, Value>>,
  names: readonly string[],
): Record<string, Value> {
  const kept = Object.entries(fields).filter(([name]) => !names.includes(name.toLowerCase()));
  return Object.fromEntries(kept);
}

function keptField(name: string): string {
  const lower = name.toLowerCase();
  if (KEY_FIELDS.includes(lower)) return lower;
  throw new AgentAssertionError("config_invalid", `keepFields cannot name ${quoted(name)}`, {
    hint: `it can name ${KEY_FIELDS.join(", ")}; for Authorization see ownAuthorization`,
  });
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
