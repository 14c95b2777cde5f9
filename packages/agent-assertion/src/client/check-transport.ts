import type { CredentialSource } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { checkOption } from "../internal/options.js";
import type { AssertionOptions } from "./assertion-options.js";

const SOURCE_FUNCTIONS = ["credential", "refused", "accepted"] as const;
const CHOICES = {
  ownAuthorization: ["replace", "refuse", "keep"],
  elsewhere: ["pass", "refuse"],
} as const;

/**
 * Checks the arguments that every transport gets, for callers without types.
 *
 * @throws {AgentAssertionError} `config_invalid` if one of them is not of its kind; the message names it
 */
export function checkTransport(source: CredentialSource, options: AssertionOptions): void {
  for (const name of SOURCE_FUNCTIONS) {
    const hint = "give the thread as the argument before the options";
    if (!isFunction(member(source, name))) throw invalid(`source has no function ${name}`, hint);
  }
  if (typeof options !== "object" || options === null) {
    throw invalid("options must be an object", 'give { origins: ["https://api.example"] }');
  }
  checkNames("origins", options.origins, 'a list of origins, for instance ["https://api.example"]');
  if (options.origins.length === 0) {
    throw invalid(
      "origins must name at least one origin, got an empty list",
      "name the origin of the API, for instance https://api.example",
    );
  }
  if (options.keepFields !== undefined) {
    checkNames(
      "keepFields",
      options.keepFields,
      'a list of field names, for instance ["x-api-key"]',
    );
  }
  for (const [name, values] of Object.entries(CHOICES)) {
    checkChoice(name, member(options, name), values);
  }
  const { onWarning } = options;
  if (onWarning !== undefined && !isFunction(onWarning)) {
    throw invalid("onWarning must be a function", "give (message) => …, or leave it out");
  }
}

/**
 * Checks one choice of several texts; absent is valid.
 *
 * @throws {AgentAssertionError} `config_invalid`
 */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  checkOption(name, value, { type: "choice", choices, optional: true });
}

/**
 * Checks that an argument is a function.
 *
 * @throws {AgentAssertionError} `config_invalid`
 */
export function checkFunction(name: string, value: unknown, hint: string): void {
  if (!isFunction(value)) throw invalid(`${name} must be a function`, hint);
}

function checkNames(name: string, value: unknown, expected: string): void {
  checkOption(name, value, { type: "list", expected });
  for (const [index, one] of (value as readonly unknown[]).entries()) {
    checkOption(`${name}[${index}]`, one, { type: "text", expected: "a text" });
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

function member(value: unknown, name: string): unknown {
  const isObject = (typeof value === "object" || typeof value === "function") && value !== null;
  return isObject ? Reflect.get(value, name) : undefined;
}

function invalid(message: string, hint: string): AgentAssertionError {
  return new AgentAssertionError("config_invalid", message, { hint });
}
