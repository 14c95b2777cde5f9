import { createReadStream } from "node:fs";
import { CliError, usageError } from "../text/cli-error.js";
import type { Environment } from "./environment.js";
import { isSystemError, reasonOf } from "./home.js";
import { isIdentityJwt } from "./token-claims.js";

/** The longest secret that is read, from wherever it comes. */
export const MAX_SECRET_BYTES = 65_536;
// Visible ASCII, as a header can carry it (RFC 9110 §5.5 without spaces at the ends).
const HEADER_VALUE = /^[!-~](?:[ -~]*[!-~])?$/;

/**
 * Reads a human's access token: from stdin with `--token-stdin`, else from `COUNTERSIGN_ACCESS_TOKEN`, which is then deleted.
 *
 * @throws {CliError} `usage` when there is none or it could not stand in a header
 */
export async function readAccessToken(
  environment: Environment,
  tokenStdin: boolean,
  stdin: NodeJS.ReadStream,
): Promise<string> {
  // Taken out of the environment even if stdin is used, so that no other program gets it.
  const named = environment.takeSecret("COUNTERSIGN_ACCESS_TOKEN");
  const token = tokenStdin ? await readSecretFromStdin(stdin) : named;
  if (token === undefined) {
    throw usageError(
      "an access token is missing",
      "pipe it in with --token-stdin, or set COUNTERSIGN_ACCESS_TOKEN",
    );
  }
  const secret = checkSecret(token, tokenStdin ? "the token on stdin" : "COUNTERSIGN_ACCESS_TOKEN");
  // It holds an agent's private key: no server may ever see it.
  if (isIdentityJwt(secret)) {
    throw usageError(
      "that is an agent's identity JWT, not a human's access token",
      "countersign login --identity-jwt-stdin",
    );
  }
  return secret;
}

/**
 * Reads an agent's identity JWT from stdin.
 *
 * @throws {CliError} `usage` when stdin holds none
 */
export async function readIdentityJwt(
  environment: Environment,
  stdin: NodeJS.ReadStream,
): Promise<string> {
  // Not used here: it is only taken out of the environment, so that no other program gets it.
  environment.takeSecret("COUNTERSIGN_ACCESS_TOKEN");
  return checkSecret(await readSecretFromStdin(stdin), "the identity JWT on stdin");
}

/**
 * Reads a secret from where an option says that it is: `env:VAR` (deleted after it was read) or `file:PATH`.
 *
 * @param option - the option's name, for messages
 * @throws {CliError} `usage` when there is none, the file holds more than 64 KiB, or what it holds could not stand in a header
 */
export async function readSecretSource(
  environment: Environment,
  source: string,
  option: string,
): Promise<string> {
  const variable = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(source)?.[1];
  if (variable !== undefined) {
    const value = environment.takeNamedSecret(variable);
    if (value === undefined) {
      throw usageError(`${option}: the environment has no ${variable}`, `set ${variable}`);
    }
    return checkSecret(value, variable);
  }
  const path = /^file:(.+)$/s.exec(source)?.[1];
  // What was given instead may be the secret itself: it is not repeated.
  if (path === undefined) {
    throw usageError(`${option}: not env:VAR or file:PATH`, "secrets are never arguments");
  }
  return checkSecret(await readSecretFile(path, option), path);
}

async function readSecretFile(path: string, option: string): Promise<string> {
  try {
    const secret = await readToEnd(createReadStream(path), MAX_SECRET_BYTES, `${option}: ${path}`);
    return secret.toString("utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CliError("usage", `${option}: ${path} cannot be read: ${reasonOf(error)}`, {
      cause: error,
      hint: "name a file that you can read",
    });
  }
}

async function readSecretFromStdin(stdin: NodeJS.ReadStream): Promise<string> {
  return (await readStdin(stdin, MAX_SECRET_BYTES)).toString("utf8");
}

/**
 * Reads stdin to its end.
 *
 * @throws {CliError} `usage` when it holds more than `maxBytes`
 */
export async function readStdin(stdin: NodeJS.ReadStream, maxBytes: number): Promise<Buffer> {
  return await readToEnd(stdin, maxBytes, "stdin");
}

// The file may be a pipe or an endless device. Their size says nothing, so the bytes are counted.
async function readToEnd(
  stream: AsyncIterable<string | Buffer>,
  maxBytes: number,
  what: string,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > maxBytes) throw usageError(`${what} holds more than ${maxBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function checkSecret(value: string, what: string): string {
  const secret = value.replace(/\r?\n$/, "");
  if (secret === "") throw usageError(`${what} is empty`);
  if (secret.length > MAX_SECRET_BYTES || !HEADER_VALUE.test(secret)) {
    throw usageError(`${what} cannot stand in a header`, "a token is one line of visible ASCII");
  }
  return secret;
}
