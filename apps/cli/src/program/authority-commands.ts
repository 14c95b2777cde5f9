import { type Command, Option } from "commander";
import { declareAuthorityIdentityCommands } from "./authority-identity-commands.js";
import { declareRegistryCommands } from "./authority-registry-commands.js";
import { type Declare, OPERATIONS_LISTEN } from "./declare.js";

const DATABASE =
  "the authority's database: sqlite:FILE, postgres://… without a password, env:VAR or file:PATH (default: COUNTERSIGN_DATABASE_URL, else in the home)";

const SERVE_EXAMPLES = `
A switch wins over a variable (COUNTERSIGN_AUTHORITY_…), a variable over the file of --config.
Examples:
  countersign authority serve --listen 127.0.0.1:4600
  countersign authority serve --config /etc/countersign/authority.toml --log-level warn
  countersign authority serve --database postgres://countersign@db.example/countersign --public-url https://authority.example
SIGTERM ends what is open and then the authority; a second one ends it at once.`;

/** Declares `authority …`: the registry of agents and tasks. */
export function declareAuthorityCommands(program: Command, declare: Declare): void {
  const authority = declare.group(program, "authority", "run and operate an authority");
  declare
    .command(authority, "serve", "run the authority", async () => {
      return (await import("../commands/authority/authority-serve.js")).serveAuthority;
    })
    .option(
      "--listen <host:port>",
      "address to listen on; port 0 takes a free one (default: 127.0.0.1:4600)",
    )
    .option("--database <url>", DATABASE)
    .option("--config <file>", "TOML file; every key can also be COUNTERSIGN_AUTHORITY_KEY")
    .option("--public-url <url>", "the URL that clients use, where it is not the listener's")
    .option("--admin-listen <host:port>", "listen there for the admin API too (default: none)")
    .option(...OPERATIONS_LISTEN)
    .addOption(
      new Option("--log-level <level>", "how much is written on stderr (default: info)").choices([
        "debug",
        "info",
        "warn",
        "error",
        "silent",
      ]),
    )
    .addHelpText("after", SERVE_EXAMPLES);
  declare
    .command(
      authority,
      "backup <out>",
      "copy the SQLite database into a file, also while an authority runs on it",
      async () => (await import("../commands/authority/authority-backup.js")).backupAuthority,
    )
    .option("--database <url>", DATABASE)
    .option("--force", "replace the file if it is there");

  declare
    .command(
      authority,
      "status",
      "say whether the database has the tables of this version; changes no table",
      async () => (await import("../commands/authority/authority-migrate.js")).showStatus,
    )
    .option("--database <url>", DATABASE);
  declare
    .command(
      authority,
      "migrate",
      "bring the tables of the database up to date, as authority serve does when it starts",
      async () => (await import("../commands/authority/authority-migrate.js")).migrateAuthority,
    )
    .option("--database <url>", DATABASE);

  declareAuthorityIdentityCommands(authority, declare, DATABASE);
  declareRegistryCommands(authority, declare, DATABASE);
}
