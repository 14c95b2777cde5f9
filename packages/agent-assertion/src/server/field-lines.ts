import type { IncomingMessage } from "node:http";
import { SCHEME } from "../schema/assertion.js";

/**
 * The values of all lines of one field, in the order they came.
 *
 * @param rawHeaders - name, value, name, value, … as they came
 * @param name - in lower case
 */
export function fieldLines(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? "");
  }
  return values;
}

/**
 * The `Authorization` fields of one of Node's requests. An adapter of a serverless platform may give `headers` alone, or lines that it joined.
 */
export function authorizationLines({ rawHeaders, headers }: IncomingMessage): string[] {
  const lines = fieldLines(rawHeaders, "authorization");
  const { authorization } = headers ?? {};
  const given = lines.length === 0 && authorization !== undefined ? [authorization] : lines;
  return given.flatMap(splitJoined);
}

/**
 * Splits a value that may be several lines which were joined with a comma. No assertion holds one: where an assertion stands beside anything else, each
 * part is a line of its own, and the verifier finds more than one. Other schemes have commas of their own and stay as they are.
 */
export function splitJoined(value: string): string[] {
  const lines = value.split(",").map((line) => line.trim());
  return lines.length > 1 && lines.some(namesScheme) ? lines : [value];
}

function namesScheme(line: string): boolean {
  return line.toLowerCase().startsWith(SCHEME.toLowerCase());
}
