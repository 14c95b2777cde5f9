import type { KeptClaims } from "../registry/kept-claims.js";
import { claimAt } from "./claim-at.js";

const MAX_CHARACTERS = 512;
// No database keeps half a surrogate pair, and PostgreSQL no NUL.
const UNUSABLE = /[\p{Cc}\p{Cs}]/u;

/**
 * Takes out of a verified token the claims that its operator lists, as texts.
 *
 * A claim is left out, and the token taken all the same, if it is not a text, a number or a truth value; if it is empty, longer than 512
 * characters or has control characters; or if it is a number whose digits are not exact here.
 *
 * @returns `undefined` if nothing is left
 */
export function keepClaims(
  claims: Readonly<Record<string, unknown>>,
  names: readonly string[],
): KeptClaims | undefined {
  const kept = names.flatMap((name) => {
    const value = textOf(claimAt(claims, name));
    return value === undefined ? [] : [[name, value] as const];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? String(value) : undefined;
  }
  if (typeof value !== "string" || value === "" || value.length > MAX_CHARACTERS) return undefined;
  return UNUSABLE.test(value) ? undefined : value;
}
