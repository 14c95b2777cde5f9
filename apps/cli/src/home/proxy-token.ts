import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  openPrivateDirectory,
  readPrivateFile,
  withFileLock,
  writePrivateFile,
} from "@countersign/private-file";
import { CliError } from "../text/cli-error.js";
import { inspectHome } from "./home.js";
import { readTrustedFile } from "./trusted-file.js";

/** The file in the home with what clients of the signing proxy present. */
export const PROXY_TOKEN_FILE = "proxy.token";

const TOKEN_BYTES = 32;
const TOKEN = /^[!-~]{16,512}$/;

/** A client token and the file that it stands in. */
export interface ProxyToken {
  readonly token: string;
  readonly file: string;
}

/**
 * The home's client token: made once, 256 random bits, the owner's alone. Processes that ask at the same time get the same one.
 *
 * @throws {CliError} `store_corrupt` when the file holds no token
 * @throws {StoreError} `store_denied` when the file or the home is a link, another user's, or cannot be written
 */
export async function ensureProxyToken(home: string, signal: AbortSignal): Promise<ProxyToken> {
  await inspectHome(home);
  await openPrivateDirectory(home);
  const file = join(home, PROXY_TOKEN_FILE);
  const token = await withFileLock(
    `${file}.lock`,
    async () => {
      const stored = await readPrivateFile(file);
      if (stored !== undefined) return stored.text;
      const made = randomBytes(TOKEN_BYTES).toString("base64url");
      await writePrivateFile(file, made);
      return made;
    },
    { signal },
  );
  return { token: checkToken(token, file, "store_corrupt"), file };
}

/**
 * Reads a client token from a file that an operator names, or the home's own. A link is followed, because mounted secrets are links. The
 * file must belong to this user or to root, and must be closed to others, because a program that reads the token can act as this machine's
 * agent.
 *
 * @param from - the option that names it, for messages
 * @throws {CliError} `config_invalid` if the file cannot be read, its owner or mode is not allowed, or it holds no token
 */
export async function readProxyToken(
  file: string,
  from = "--client-token-file",
): Promise<ProxyToken> {
  const refuse = (what: string, cause?: unknown) =>
    new CliError("config_invalid", `${from}: ${file} ${what}`, {
      cause,
      hint: "name a file with the token, of your own and with mode 0600",
    });
  const text = await readTrustedFile(file, "read or write", refuse);
  if (text === undefined) throw refuse("does not exist");
  return { token: checkToken(text, file, "config_invalid"), file };
}

function checkToken(text: string, file: string, code: "store_corrupt" | "config_invalid"): string {
  const token = text.replace(/\r?\n$/, "");
  if (TOKEN.test(token)) return token;
  // What it holds instead is not repeated: it may be a secret.
  throw new CliError(code, `${file} holds no token of 16 to 512 visible ASCII characters`, {
    hint:
      code === "store_corrupt"
        ? "remove the file: a new token is then made, and clients must be given that one"
        : "put a token into it, for instance: openssl rand -hex 32",
  });
}
