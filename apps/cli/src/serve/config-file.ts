import { parseToml } from "../config/config.js";
import { holdsPassword } from "../config/database-url.js";
import { type ForbiddenToOthers, readTrustedFile } from "../home/trusted-file.js";
import { CliError } from "../text/cli-error.js";

/** The content of a configuration file of a server. */
export interface ConfigFile {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Reads the file that a server's `--config` names. Its writer decides whom the server serves, so it must belong to this user or root and not be
 * open to be written; with a password in its `database` not to be read either.
 *
 * @returns `undefined` if none is named
 * @throws {CliError} `config_invalid`, naming the file
 */
export async function readConfigFile(name: string | undefined): Promise<ConfigFile | undefined> {
  if (name === undefined) return undefined;
  const values = parseToml(await readConfig(name, "write"), name);
  if (holdsPassword(String(values.database))) await readConfig(name, "read or write");
  return { name, values };
}

async function readConfig(file: string, forbidden: ForbiddenToOthers): Promise<string> {
  const refuse = (what: string, cause?: unknown) =>
    new CliError("config_invalid", `--config: ${file} ${what}`, {
      cause,
      hint:
        forbidden === "write"
          ? "name a TOML file that this user may read and that not every user may write"
          : "it holds a password: chmod 0600, or keep the password in a file of its own (database_password_file)",
    });
  const content = await readTrustedFile(file, forbidden, refuse);
  if (content === undefined) throw refuse("does not exist");
  return content;
}
