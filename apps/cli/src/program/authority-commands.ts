import { type Command, Option } from "commander";
import type { RegistryOptions } from "../registry-session.js";
import { declareAuthorityIdentityCommands } from "./authority-identity-commands.js";
import type { CommandHandler, Declare } from "./declare.js";

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
      return (await import("../commands/authority-serve.js")).serveAuthority;
    })
    .option(
      "--listen <host:port>",
      "address to listen on; port 0 takes a free one (default: 127.0.0.1:4600)",
    )
    .option("--database <url>", DATABASE)
    .option("--config <file>", "TOML file; every key can also be COUNTERSIGN_AUTHORITY_KEY")
    .option("--public-url <url>", "the URL that clients use, where it is not the listener's")
    .option("--admin-listen <host:port>", "listen there for the admin API too (default: none)")
    .addOption(
      new Option("--log-level <level>", "how much stderr tells (default: info)").choices([
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
      async () => (await import("../commands/authority-backup.js")).backupAuthority,
    )
    .option("--database <url>", DATABASE)
    .option("--force", "replace the file if it is there");

  const token = declare.group(authority, "token", "access tokens of the authority");
  declare
    .command(token, "create", "make an access token and print it alone", async () => {
      return (await import("../commands/authority-token.js")).createToken;
    })
    .requiredOption("--account <id>", "account")
    .requiredOption("--user <id>", "user")
    .addOption(
      new Option("--role <role>", "what the token is for")
        .choices(["human", "resource_server", "read", "operate"])
        .default("human"),
    )
    .option("--ttl <duration>", "how long it lives, such as 30m, 24h, 30d", "24h")
    .option("--database <url>", DATABASE);
  declare
    .command(token, "list", "list the tokens; the tokens themselves are not kept", async () => {
      return (await import("../commands/authority-token.js")).listTokens;
    })
    .option("--database <url>", DATABASE);
  declare
    .command(token, "revoke <id>", "revoke a token by its id", async () => {
      return (await import("../commands/authority-token.js")).revokeToken;
    })
    .option("--database <url>", DATABASE);

  declareAuthorityIdentityCommands(authority, declare, DATABASE);

  const agents = declare.group(authority, "agents", "registered agents");
  declare
    .command(agents, "list", "list the agents", async () => {
      return (await import("../commands/authority-agents.js")).listAgents;
    })
    .option("--account <id>", "only this account's")
    .option("--database <url>", DATABASE);
  declareOne(agents, declare, "agent", async () => {
    const { showAgent, revokeAgent } = await import("../commands/authority-agents.js");
    return { show: showAgent, revoke: revokeAgent };
  });

  const tasks = declare.group(authority, "tasks", "registered tasks");
  declare
    .command(tasks, "list", "list the tasks", async () => {
      return (await import("../commands/authority-tasks.js")).listTasks;
    })
    .option("--agent <id>", "only this agent's")
    .option("--database <url>", DATABASE);
  declareOne(tasks, declare, "task", async () => {
    const { showTask, revokeTask } = await import("../commands/authority-tasks.js");
    return { show: showTask, revoke: revokeTask };
  });
}

// What is done with one agent or one task, by its id.
function declareOne(
  group: Command,
  declare: Declare,
  what: "agent" | "task",
  load: () => Promise<Readonly<Record<"show" | "revoke", CommandHandler<RegistryOptions>>>>,
): void {
  declare
    .command(group, "show <id>", `show the ${what}`, async () => (await load()).show)
    .option("--database <url>", DATABASE);
  declare
    .command(
      group,
      "revoke <id>",
      `revoke the ${what}, for good`,
      async () => (await load()).revoke,
    )
    .option("--database <url>", DATABASE);
}
