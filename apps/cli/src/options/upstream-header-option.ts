import type { Run } from "../config/run.js";
import { secretFileOf } from "../home/secret-file.js";
import { readSecretSource } from "../home/secrets.js";
import { readTokenEnd } from "../home/token-claims.js";
import { usageError } from "../text/cli-error.js";

interface NamedSource {
  readonly name: string;
  /** `env:VAR` or `file:PATH`. */
  readonly source: string;
}

/** Reads the values of all `--upstream-header`. */
export interface UpstreamHeaderReader {
  (): Promise<Readonly<Record<string, string>>>;
  /** Where they are: `env:VAR` or `file:PATH`. */
  readonly sources: readonly string[];
  /** When the first of the values that were read last ends, epoch milliseconds; `undefined` if none is a JWT with an end. */
  endsAt(): number | undefined;
}

/**
 * Takes the values of `--upstream-header` apart: where the upstream's credentials are, not what they are.
 *
 * @returns reads them all, from files as they are at each call; a variable, pipe or device is read once
 * @throws {CliError} `usage` when one is not of its form
 */
export function parseUpstreamHeaders(run: Run, options: readonly string[]): UpstreamHeaderReader {
  const sources = options.map(parseSource);
  const files = new Set<NamedSource>();
  const readOnce = new Map<NamedSource, string>();
  let endsAt: number | undefined;
  const read = async () => {
    const headers: Record<string, string> = {};
    for (const named of sources) {
      const { name, source } = named;
      // Looked at first: a pipe may be gone after it was read. What was a file once stays one, although it may be away at a later look.
      if (!files.has(named) && (await secretFileOf(source)) !== undefined) files.add(named);
      const value =
        readOnce.get(named) ??
        (await readSecretSource(run.environment, source, `--upstream-header ${name}`));
      if (!files.has(named)) readOnce.set(named, value);
      headers[name] = value;
    }
    endsAt = firstEnd(Object.values(headers));
    return headers;
  };
  return Object.assign(read, {
    sources: sources.map(({ source }) => source),
    endsAt: () => endsAt,
  });
}

// `Bearer TOKEN`, or the token alone.
function firstEnd(values: readonly string[]): number | undefined {
  const ends = values.map((value) => readTokenEnd(value.slice(value.lastIndexOf(" ") + 1)));
  const known = ends.filter((end) => end !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
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
