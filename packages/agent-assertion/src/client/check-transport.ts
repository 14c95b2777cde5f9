import type { CredentialSource } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
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
    const hint =
      "give what gives credentials, for instance a thread of agent-task, before the options";
    if (!isFunction(member(source, name))) throw invalid(`source has no function ${name}`, hint);
  }
  if (typeof options !== "object" || options === null) {
    throw invalid("options must be an object", 'give { origins: ["https://api.example"] }');
  }
  checkNames("origins", options.origins, 1);
  if (options.keepFields !== undefined) checkNames("keepFields", options.keepFields, 0);
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
export function checkChoice(name: string, value: unknown, values: readonly string[]): void {
  if (value === undefined || values.some((one) => one === value)) return;
  throw invalid(`${name} must be one of ${values.join(", ")}`, `correct ${name}, or leave it out`);
}

/**
 * Checks that an argument is a function.
 *
 * @throws {AgentAssertionError} `config_invalid`
 */
export function checkFunction(name: string, value: unknown, hint: string): void {
  if (!isFunction(value)) throw invalid(`${name} must be a function`, hint);
}

function checkNames(name: string, value: unknown, atLeast: number): void {
  const isValid =
    Array.isArray(value) &&
    value.length >= atLeast &&
    value.every((one) => typeof one === "string");
  if (isValid) return;
  const form = atLeast === 0 ? "a list of texts" : "a list of at least one text";
  throw invalid(`${name} must be ${form}`, `correct ${name} in the options of the transport`);
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
