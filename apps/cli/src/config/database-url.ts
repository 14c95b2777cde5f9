import { devNull } from "node:os";
import { join } from "node:path";
import { findUserHome } from "@countersign/private-file/user-home";
import type { Environment } from "../home/environment.js";
import { MAX_SECRET_BYTES } from "../home/secrets.js";
import { readTrustedFile } from "../home/trusted-file.js";
import { CliError, usageError } from "../text/cli-error.js";

/** Where a database may be named. */
export interface DatabaseSources {
  /** `--database`. */
  readonly option?: string | undefined;
  /** What `--config` or its variables say. */
  readonly configured?: string | undefined;
  /** A file that holds the password alone. */
  readonly passwordFile?: string | undefined;
}

/** A database, as `openStore` takes it. */
export interface DatabaseLocation {
  readonly url: string;
  /** Reads the password of PostgreSQL, each time from where it is kept. */
  readonly password?: (() => string | Promise<string>) | undefined;
}

const PASSWORD_HINT =
  "leave it out, and set PGPASSWORD or COUNTERSIGN_DATABASE_PASSWORD_FILE, or name the whole URL with env:VAR or file:PATH";

/**
 * Finds the URL of the authority's database: from `--database`, otherwise the configuration, otherwise `COUNTERSIGN_DATABASE_URL`. Each may
 * name the place of the URL instead: `env:VAR` or `file:PATH`. If a URL of PostgreSQL has no password, the password comes from the file of
 * `COUNTERSIGN_DATABASE_PASSWORD_FILE`, otherwise from `PGPASSWORD`, otherwise from `.pgpass` in the user's home folder. The file is read
 * for each new connection, so that a rotated password is used. Variables that hold a secret are taken out of the environment.
 *
 * @returns `undefined`: no source names one
 * @throws {CliError} `usage` if an argument holds a password, because every user of the machine can read it; `config_invalid` if the file
 *   of the password cannot be read, or is empty
 */
export async function findDatabaseUrl(
  environment: Environment,
  { option, configured, passwordFile }: DatabaseSources,
): Promise<DatabaseLocation | undefined> {
  // Taken out of the environment even if another source wins, so that no other program gets them.
  const named = environment.takeSecret("COUNTERSIGN_DATABASE_URL");
  const password = environment.takeSecret("PGPASSWORD");
  if (option !== undefined && holdsPassword(option)) {
    throw usageError(
      "--database: every user of this machine can read an argument, so it must not hold a password",
      PASSWORD_HINT,
    );
  }
  const written = option ?? configured ?? named;
  if (written === undefined) return undefined;
  const from = option === undefined ? "the database" : "--database";
  const { url, file } = await readDatabaseUrl(environment, written, from);
  if (!/^postgres(?:ql)?:/i.test(url)) return { url };
  if (holdsPassword(url)) {
    if (file === undefined) return { url };
    return { url, password: async () => passwordOf(asUrl(await readSecretFile(file, from), file)) };
  }
  environment.setDefault("PGPASSFILE", pgpassFile());
  const ofPassword = passwordFile ?? environment.get("COUNTERSIGN_DATABASE_PASSWORD_FILE");
  if (ofPassword !== undefined) {
    // Read once here, so that a mistake is reported before the first connection.
    await readPassword(ofPassword);
    return { url, password: () => readPassword(ofPassword) };
  }
  return password === undefined ? { url } : { url, password: () => password };
}

// The driver reads `.pgpass` of the working directory where HOME is empty, relative or not set. A database may let the user in without a
// password, so that a user without a home folder is no error: then there is no such file.
function pgpassFile(): string {
  const found = findUserHome();
  return "path" in found ? join(found.path, ".pgpass") : join(devNull, "none");
}

/** Returns whether a database URL holds a password. Reads forms too that WHATWG does not accept: a socket with a user, or several hosts. */
export function holdsPassword(url: string): boolean {
  return /^postgres(?:ql)?:/i.test(url) && passwordOf(url) !== "";
}

function passwordOf(url: string): string {
  const parameter = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1]).get("password");
  if (parameter) return parameter;
  if (URL.canParse(url)) return decodePercent(new URL(url).password);
  const ofSocket = /^[^:]*:\/\/[^:@/?#]*:([^@/?#]*)@\//.exec(url)?.[1];
  // Otherwise up to the last `@`, because a password that was not percent-encoded may hold any character.
  return decodePercent(ofSocket ?? /^[^:]*:\/\/[^:@]*:(.*)@/s.exec(url)?.[1] ?? "");
}

// A `%` without two hex digits behind it stands for itself, as in the driver.
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, "%25"));
  } catch {
    // The decoded bytes are not UTF-8, so the text was not percent-encoded.
    return text;
  }
}

async function readDatabaseUrl(
  environment: Environment,
  written: string,
  from: string,
): Promise<{ readonly url: string; readonly file?: string }> {
  const variable = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(written)?.[1];
  if (variable !== undefined) {
    const url = environment.takeNamedSecret(variable);
    if (url !== undefined) return { url: asUrl(url, variable) };
    throw usageError(`${from}: the environment has no ${variable}`, `set ${variable}`);
  }
  const file = /^file:(.+)$/s.exec(written)?.[1];
  if (file === undefined) return { url: written };
  return { url: asUrl(await readSecretFile(file, from), file), file };
}

// Not repeated in the message: it may be any secret.
function asUrl(url: string, from: string): string {
  if (/^(?:sqlite|postgres(?:ql)?):[!-~]+$/i.test(url)) return url;
  throw usageError(
    `${from} holds no database URL`,
    "write sqlite:FILE or postgres://…; the file of a database itself is named as sqlite:FILE",
  );
}

async function readPassword(file: string): Promise<string> {
  const password = await readSecretFile(file, "the password of the database");
  if (password !== "") return password;
  throw new CliError("config_invalid", `${file} is empty`, { hint: "write the password into it" });
}

async function readSecretFile(path: string, from: string): Promise<string> {
  const refuse = (what: string, cause?: unknown) =>
    new CliError("config_invalid", `${from}: ${path} ${what}`, {
      cause,
      hint: "name a file that you or root owns and that not every user can write",
    });
  const text = await readTrustedFile(path, "write", refuse, MAX_SECRET_BYTES);
  if (text === undefined) throw refuse("does not exist");
  return text.replace(/\r?\n$/, "");
}
