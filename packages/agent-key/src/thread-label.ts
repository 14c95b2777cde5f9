import { AgentKeyError } from "./agent-key-error.js";

/**
 * Returns whether a value may be a thread label: 1 to 64 Unicode characters without control or format characters, line separators and lone
 * surrogates, and without a space at either end.
 *
 * @see docs/protocol.md T-14
 */
export function isThreadLabel(value: unknown): value is string {
  // Without control, format (the bidirectional controls among them) and surrogate characters and line separators: what is shown to an operator must
  // neither steer a terminal nor hide what it says. A space is inside of it only. Here, because bundlers keep such a pattern at the top of a module.
  return (
    typeof value === "string" &&
    /^(?!\p{Zs})[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,64}(?<!\p{Zs})$/u.test(value)
  );
}

/**
 * Returns a thread label as it came, if it is one. It is shown to the authority's operators, so it must not be a secret.
 *
 * @throws {AgentKeyError} `invalid_request` when it is not, see {@link isThreadLabel}
 * @see docs/protocol.md T-14
 */
export function parseThreadLabel(value: string): string {
  if (isThreadLabel(value)) return value;
  throw new AgentKeyError(
    "invalid_request",
    "a thread label must be 1 to 64 characters that are shown, without a space at either end",
    { hint: "give a short name by which an operator finds it, and no secret" },
  );
}
