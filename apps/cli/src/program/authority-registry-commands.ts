import { type Command, Option } from "commander";
import type { CommandHandler } from "../config/run.js";
import { type Declare, INSECURE_HTTP } from "./declare.js";

const TAIL_EXAMPLES = `
Examples:
  countersign authority audit tail --limit 100
  countersign authority audit tail --follow --json --authority https://admin.example --authority-token env:ADMIN_TOKEN
  countersign authority audit tail --after 4711 --code agent_revoked`;
const ROLES = ["human", "resource_server", "read", "operate"];
const LIFE_STATES = ["active", "revoked", "expired"];
const PRINCIPAL_STATES = ["active", "revoked"];

/** Declares what operators do to the registry of an authority: by its database, or through its admin API. */
export function declareRegistryCommands(
  authority: Command,
  declare: Declare,
  database: string,
): void {
  const add = registryCommands(declare, database);
  const token = declare.group(authority, "token", "access tokens of the authority");
  add(token, "create", "make an access token and print it alone", async () => {
    return (await import("../commands/authority/authority-token.js")).createToken;
  })
    .requiredOption("--account <id>", "account; of an operator's token, whose it is")
    .requiredOption("--user <id>", "user; of an operator's token, whose it is")
    .addOption(new Option("--role <role>", "what the token is for").choices(ROLES).default("human"))
    .option("--ttl <duration>", "how long it lives, such as 30m, 24h, 30d", "24h");
  const listTokens = add(
    token,
    "list",
    "list the tokens; the tokens themselves are not kept",
    async () => {
      return (await import("../commands/authority/authority-token.js")).listTokens;
    },
  );
  narrowed(listTokens).addOption(
    new Option("--role <role>", "only those of this role").choices(ROLES),
  );
  add(token, "revoke <id>", "revoke a token by its id", async () => {
    return (await import("../commands/authority/authority-token.js")).revokeToken;
  });

  const agents = declare.group(authority, "agents", "registered agents");
  const listAgents = add(agents, "list", "list the agents", async () => {
    return (await import("../commands/authority/authority-agents.js")).listAgents;
  });
  narrowed(listAgents).addOption(ofState(LIFE_STATES));
  addEntryCommands(add, agents, "agent", "and with it all its tasks", async () => {
    const { showAgent, revokeAgent, restoreAgent } = await import(
      "../commands/authority/authority-agents.js"
    );
    return { show: showAgent, revoke: revokeAgent, restore: restoreAgent };
  });

  const tasks = declare.group(authority, "tasks", "registered tasks");
  const listTasks = add(tasks, "list", "list the tasks", async () => {
    return (await import("../commands/authority/authority-tasks.js")).listTasks;
  });
  narrowed(listTasks).option("--agent <id>", "only this agent's").addOption(ofState(LIFE_STATES));
  addEntryCommands(
    add,
    tasks,
    "task",
    "its agent may get another; Codex 0.150 and newer stops until codex repair",
    async () => {
      const { showTask, revokeTask, restoreTask } = await import(
        "../commands/authority/authority-tasks.js"
      );
      return { show: showTask, revoke: revokeTask, restore: restoreTask };
    },
  );

  addPrincipalCommands(authority, declare, add);
  addAuditCommands(authority, declare, add);
}

type Add = <Options>(
  parent: Command,
  nameAndArguments: string,
  description: string,
  load: () => Promise<CommandHandler<Options>>,
) => Command;

// A command with the options that say which registry it works on.
function registryCommands(declare: Declare, database: string): Add {
  return (parent, nameAndArguments, description, load) =>
    declare
      .command(parent, nameAndArguments, description, load)
      .option("--database <url>", database)
      .option(
        "--authority <url>",
        "the authority's admin listener instead (authority serve --admin-listen)",
      )
      .option("--authority-token <source>", "token of role read or operate: env:VAR or file:PATH")
      .option(...INSECURE_HTTP);
}

function narrowed(command: Command): Command {
  return command
    .option("--account <id>", "only this account's")
    .option("--user <id>", "only this user's")
    .option("--limit <number>", "at most so many (default: all)");
}

function ofState(states: readonly string[]): Option {
  return new Option("--state <state>", "only those in this state").choices(states);
}

// What is done with one agent or one task, by its id.
function addEntryCommands<Options>(
  add: Add,
  group: Command,
  what: "agent" | "task",
  consequence: string,
  load: () => Promise<Readonly<Record<"show" | "revoke" | "restore", CommandHandler<Options>>>>,
): void {
  add(group, "show <id>", `show the ${what}`, async () => (await load()).show);
  add(
    group,
    "revoke <id>",
    `revoke the ${what}, ${consequence}`,
    async () => (await load()).revoke,
  );
  add(
    group,
    "restore <id>",
    `take the ${what}'s own revocation back`,
    async () => (await load()).restore,
  );
}

function addPrincipalCommands(authority: Command, declare: Declare, add: Add): void {
  const users = declare.group(authority, "users", "users that had an agent, or were revoked");
  add(users, "list", "list the users", async () => {
    return (await import("../commands/authority/authority-users.js")).listUsers;
  })
    .option("--account <id>", "only this account's")
    .addOption(ofState(PRINCIPAL_STATES))
    .option("--limit <number>", "at most so many (default: all)");
  add(users, "revoke", "revoke a user, and with it all its tokens and agents", async () => {
    return (await import("../commands/authority/authority-users.js")).revokeUser;
  })
    .requiredOption("--account <id>", "account")
    .requiredOption("--user <id>", "user; may be one that never came");
  add(users, "restore", "take a user's own revocation back", async () => {
    return (await import("../commands/authority/authority-users.js")).restoreUser;
  })
    .requiredOption("--account <id>", "account")
    .requiredOption("--user <id>", "user");

  const accounts = declare.group(
    authority,
    "accounts",
    "accounts that had an agent, or were revoked",
  );
  add(accounts, "list", "list the accounts", async () => {
    return (await import("../commands/authority/authority-accounts.js")).listAccounts;
  })
    .addOption(ofState(PRINCIPAL_STATES))
    .option("--limit <number>", "at most so many (default: all)");
  add(accounts, "revoke <id>", "revoke an account, and with it all its users", async () => {
    return (await import("../commands/authority/authority-accounts.js")).revokeAccount;
  });
  add(accounts, "restore <id>", "take an account's revocation back", async () => {
    return (await import("../commands/authority/authority-accounts.js")).restoreAccount;
  });
}

function addAuditCommands(authority: Command, declare: Declare, add: Add): void {
  const audit = declare.group(authority, "audit", "the audit log: every change and every refusal");
  add(audit, "tail", "print the newest events, one line for each", async () => {
    return (await import("../commands/authority/authority-audit.js")).tailAudit;
  })
    .option("--follow", "go on with those that come, until SIGINT or SIGTERM")
    .option("--after <sequence>", "the events after this one instead of the newest")
    .option("--limit <number>", "at most so many (default: the 20 newest; all with --after)")
    .option("--action <action>", "only events of this action, such as agent_revoked")
    .option("--code <code>", "only refusals with this code")
    .option("--account <id>", "only this account's")
    .option("--agent <id>", "only events about this agent")
    .addHelpText("after", TAIL_EXAMPLES);
}
