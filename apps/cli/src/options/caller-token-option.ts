import { type CallerTokens, createCallerTokens } from "@countersign/assertion-proxy";
import { pathOption } from "../home/home.js";
import { MAX_SECRET_BYTES } from "../home/secrets.js";
import { readTrustedFile } from "../home/trusted-file.js";
import { CliError, usageError } from "../text/cli-error.js";
import type { ServedSecrets } from "./served-secrets.js";

/** The options of servers that sign for the upstream who its caller is. */
export interface CallerTokenSwitches {
  readonly audience?: string | undefined;
  readonly tokenIssuer?: string | undefined;
  readonly tokenKeys?: string | undefined;
  readonly operationsListen?: string | undefined;
}

/**
 * Reads `--audience`, `--token-issuer` and `--token-keys`.
 *
 * @param secrets - take the keys, to be read again
 * @returns `undefined` without an audience: nothing is signed
 * @throws {CliError} `usage` for one of the others without it, and if no upstream could get the keys; `config_invalid` for a file that cannot
 * be read or is open to others
 */
export async function callerTokensOf(
  options: CallerTokenSwitches,
  secrets: ServedSecrets,
): Promise<CallerTokens | undefined> {
  const { audience, tokenIssuer: issuer, tokenKeys, operationsListen } = options;
  if (audience === undefined) {
    if (issuer === undefined && tokenKeys === undefined) return undefined;
    throw usageError(
      "--token-issuer and --token-keys are for --audience",
      "add --audience NAME, the name of the upstream",
    );
  }
  if (operationsListen === undefined && tokenKeys === undefined) {
    throw usageError(
      "--audience needs --operations-listen",
      "upstreams read the keys of its /.well-known/jwks.json; or give --token-keys FILE, and them the public half",
    );
  }
  if (tokenKeys === undefined) return createCallerTokens({ audience, issuer });
  const file = pathOption(tokenKeys, "--token-keys");
  let tokens: CallerTokens | undefined;
  const keys = await secrets.read({
    what: "the keys of --token-keys",
    isPlural: true,
    sources: [`file:${file}`],
    read: () => readKeys(file),
    take: (other) => tokens?.setKeys(other),
  });
  tokens = createCallerTokens({ audience, issuer, keys });
  return tokens;
}

async function readKeys(file: string): Promise<string> {
  const refuse = (what: string, cause?: unknown) =>
    new CliError("config_invalid", `--token-keys: ${file} ${what}`, {
      cause,
      hint: "name a file of your own with mode 0600, made by: openssl genpkey -algorithm ed25519",
    });
  const text = await readTrustedFile(file, "read or write", refuse, MAX_SECRET_BYTES);
  if (text === undefined) throw refuse("does not exist");
  return text;
}
