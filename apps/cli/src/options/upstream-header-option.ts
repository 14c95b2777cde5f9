import type { Run } from "../config/run.js";
import { readSecretSource } from "../home/secrets.js";
import { usageError } from "../text/cli-error.js";

interface NamedSource {
  readonly name: string;
  /** `env:VAR` or `file:PATH`. */
  readonly source: string;
}

/**
 * Takes the values of `--upstream-header` apart: where the upstream's credentials are, not what they are.
 *
 * @returns reads them all, from files as they are at each call; a variable keeps the value of the first call
 * @throws {CliError} `usage` when one is not of its form
 */
export function parseUpstreamHeaders(
  run: Run,
  options: readonly string[],
): () => Promise<Readonly<Record<string, string>>> {
  const sources = options.map(parseSource);
  return async () => {
    const headers: Record<string, string> = {};
    for (const { name, source } of sources) {
      headers[name] = await readSecretSource(run.environment, source, `--upstream-header ${name}`);
    }
    return headers;
  };
}

function parseSource(option: string): NamedSource {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(\S.*)$/s.exec(option);
  const [, name, source] = match ?? [];
  // Not repeated: it may hold the secret itself.
  if (name === undefined || source === undefined) {
    throw usageError("--upstream-header is not 'Name: env:VAR' or 'Name: file:PATH'");
  }
  return { name, source };
}
