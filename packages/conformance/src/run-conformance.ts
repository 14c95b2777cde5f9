import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type OptionShape, optionChecks } from "@countersign/agent-key";
import { ConformanceError } from "./conformance-error.js";
import { loadVectorFile } from "./load-vector-file.js";
import { printable } from "./printable.js";
import { runCheck, type VectorCheck } from "./vector-check.js";

const MAX_FILE_BYTES = 16 * 1024 * 1024;
// Fewer than what is shown, so that the difference is within it.
const CONTEXT_CHARACTERS = 200;

const { checkOption, checkOptions } = optionChecks(ConformanceError);
const DIRECTORY: OptionShape = {
  type: "text",
  expected: "the path of a directory or a file URL, for instance VECTORS_DIRECTORY",
};
const LISTENER: OptionShape = {
  type: "function",
  expected: "a function that takes a ConformanceResult",
  optional: true,
};

/** How one vector went. All texts are safe to print, and cut at 512 characters. */
export interface ConformanceResult {
  /** The name of the vector's file in its directory. */
  readonly file: string;
  /** What the vector is about; a vector without a name is named by its list, place and content. */
  readonly name: string;
  readonly passed: boolean;
  /** What the vector says: JSON of what must come out, a whole field value, or the code of the refusal. */
  readonly expected: string;
  /** What this implementation did, in the same form. */
  readonly actual: string;
}

/** What a run of vectors gave. */
export interface ConformanceReport {
  readonly passed: number;
  readonly failed: number;
  /** One for each vector: files by name, vectors as they stand in the file. */
  readonly results: readonly ConformanceResult[];
}

/** Options of {@link runConformance}. */
export interface RunConformanceOptions {
  /** Called with the result of each vector as soon as the vector was run. */
  readonly onResult?: ((result: ConformanceResult) => void) | undefined;
}

/**
 * Runs the vectors of a directory against this implementation.
 *
 * Every `*.json` file in it is a vector file (at most 16 MiB each); other files and subdirectories are not looked at. All files are
 * read before the first vector is run. A vector that fails is a result, not an error.
 *
 * @param directory - a path or a file URL, for instance `VECTORS_DIRECTORY`
 * @throws {ConformanceError} `config_invalid` when the directory or a file of it cannot be read, a file is no vector file of a known
 *   form, or there are no vectors; if an argument or option is missing or wrong
 */
export async function runConformance(
  directory: string | URL,
  options: RunConformanceOptions = {},
): Promise<ConformanceReport> {
  if (!(directory instanceof URL)) checkOption("directory", directory, DIRECTORY);
  checkOptions(options, { onResult: LISTENER });
  const path = typeof directory === "string" ? directory : fileURLToPath(directory);
  const checks = await loadChecks(path);
  const results: ConformanceResult[] = [];
  for (const { file, check } of checks) {
    const actual = await runCheck(check);
    const result: ConformanceResult = {
      file: printable(file),
      name: printable(check.name),
      passed: actual === check.expected,
      ...shown(check.expected, actual),
    };
    results.push(result);
    options.onResult?.(result);
  }
  const passed = results.filter((result) => result.passed).length;
  return { passed, failed: results.length - passed, results };
}

// Long texts are cut to where they begin to differ.
function shown(expected: string, actual: string): Pick<ConformanceResult, "expected" | "actual"> {
  let same = 0;
  while (same < expected.length && expected[same] === actual[same]) same += 1;
  const from = expected === actual || same <= CONTEXT_CHARACTERS ? 0 : same - CONTEXT_CHARACTERS;
  const cut = (text: string) => printable(from === 0 ? text : `…${text.slice(from)}`);
  return { expected: cut(expected), actual: cut(actual) };
}

async function loadChecks(
  directory: string,
): Promise<readonly { readonly file: string; readonly check: VectorCheck }[]> {
  const names = await listFiles(directory);
  const files: { file: string; checks: readonly VectorCheck[] }[] = [];
  for (const file of names) {
    files.push({ file, checks: loadVectorFile(file, await readText(join(directory, file), file)) });
  }
  const checks = files.flatMap(({ file, checks }) => checks.map((check) => ({ file, check })));
  if (checks.length > 0) return checks;
  throw new ConformanceError("config_invalid", `${printable(directory)} holds no vectors`, {
    hint: "give a directory with vector files (*.json)",
  });
}

async function listFiles(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory);
    return entries.filter((name) => name.endsWith(".json")).sort();
  } catch (cause) {
    throw unreadable(directory, cause, "give a directory that exists and may be read");
  }
}

async function readText(path: string, file: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error("not a file");
    if (found.size > MAX_FILE_BYTES) throw new Error("larger than 16 MiB");
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    throw unreadable(file, cause, "vector files are UTF-8 of at most 16 MiB");
  }
}

function unreadable(what: string, cause: unknown, hint: string): ConformanceError {
  const reason = cause instanceof Error ? (Reflect.get(cause, "code") ?? cause.message) : cause;
  return new ConformanceError(
    "config_invalid",
    `${printable(what)} cannot be read: ${printable(String(reason))}`,
    { cause, hint },
  );
}
