import { FeatureFlagError } from "./feature-flag-error.js";

/** Throws `config_invalid`, naming the option or the argument, unless it is what it must be. */
export function checkOption(
  name: string,
  isRight: boolean,
  expected: string,
  value: unknown,
): asserts isRight {
  if (isRight) return;
  throw new FeatureFlagError(
    "config_invalid",
    `${name} must be ${expected}, got ${typeName(value)}`,
    { hint: `correct what is given as ${name}` },
  );
}

/** Returns whether a value is an object: neither `null` nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Never the value itself.
function typeName(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (value === "") return "an empty string";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
