import { type Command, Option } from "commander";
import type { CommandHandler } from "../config/run.js";
import { type Declare, INSECURE_HTTP } from "./declare.js";

const SORTS = ["newest", "oldest", "used"];
const TAIL_EXAMPLES = `
Examples:
  countersign authority audit tail --limit 100
  countersign authority audit tail --follow --json --authority https://admin.example --authority-token env:ADMIN_TOKEN
  countersign authority audit tail --since 30m --refused --address 203.0.113.7
  countersign authority audit tail --after 4711 --code agent_revoked`;
const FIND_EXAMPLES = `
TEXT is an id or its beginning, a user, an account, the name of a token, the value of a kept claim, the label of a
thread, an address, a request id, a public key, an AgentAssertion header or a line of a log.
Examples:
  countersign authority find task_019
  countersign authority find - < line-of-the-audit-log
  countersign authority find 203.0.113.7 --authority https://admin.example --authority-token env:ADMIN_TOKEN`;
const ROLES = ["human", "resource_server", "read", "audit", "stop", "operate"];
const REASON = ["--reason <text>", "why, for the audit log; at most 512 characters"] as const;
const EVEN_IF_UNKNOWN =
  "also one that has no token and no agent and was never revoked: it is barred before it comes";
const LIFE_STATES = ["active", "revoked", "expired"];
const PRINCIPAL_STATES = ["active", "revoked"];

/** Declares what operators do to the registry of an authority: by its database, or through its admin API. */
export function declareRegistryCommands(
  authority: Command,
  declare: Declare,
  database: string,
): void {
  const add = registryCommands(declare, database);
  add(
    authority,
    "find <text...>",
    "find what a text may mean, and print the commands that stop it; - reads the text from stdin",
    async () => (await import("../commands/authority/authority-find.js")).find,
  )
    .option("--limit <number>", "at most so many of each kind, from 1 to 100 (default: 10)")
    .addHelpText("after", FIND_EXAMPLES);
  const token = declare.group(authority, "token", "access tokens of the authority");
  add(token, "create", "make an access token and print it alone", async () => {
    return (await import("../commands/authority/authority-token.js")).createToken;
  })
    .requiredOption("--account <id>", "account that the token belongs to")
    .requiredOption("--user <id>", "user that the token belongs to")
    .addOption(new Option("--role <role>", "what the token is for").choices(ROLES).default("human"))
    .option("--ttl <duration>", "how long it lives, such as 30m, 24h, 30d", "24h")
    .option("--name <text>", "what people call it, for lists and the audit log")
    .option(
      "--accounts <ids>",
      "the accounts that it is for, with commas between them, of any role but human (default: all)",
    )
    .option("--with-tokens", "of role operate: it may make tokens and identity JWTs too");
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
  add(
    token,
    "rotate <id>",
    "make a token like this one and print it alone; this one is still taken for a while",
    async () => (await import("../commands/authority/authority-token.js")).rotateToken,
  )
    .option("--overlap <duration>", "how long this one is still taken, 0s to 30d", "24h")
    .option("--ttl <duration>", "how long the new one lives (default: as long as this one was to)")
    .option(...REASON);
  add(token, "revoke <id>", "revoke a token by its id", async () => {
    return (await import("../commands/authority/authority-token.js")).revokeToken;
  }).option(...REASON);

  const agents = declare.group(authority, "agents", "registered agents");
  const listAgents = add(agents, "list", "list the agents", async () => {
    return (await import("../commands/authority/authority-agents.js")).listAgents;
  });
  narrowedByLife(listAgents);
  const { revoke } = addEntryCommands(
    add,
    agents,
    "agent",
    "and with it all its tasks",
    async () => {
      const { showAgent, revokeAgent, restoreAgent } = await import(
        "../commands/authority/authority-agents.js"
      );
      return { show: showAgent, revoke: revokeAgent, restore: restoreAgent };
    },
    "revoke [id]",
  );
  revoke
    .option(
      "--unused-since <time>",
      "many at once: those registered before and not used since, as far as that was reported, and without a task registered since",
    )
    .option("--account <id>", "with --unused-since: only this account's")
    .option("--user <id>", "with --unused-since: only this user's")
    .option("--address <ip>", "with --unused-since: only those registered from this address")
    .option("--dry-run", "print them, and revoke none");

  const tasks = declare.group(authority, "tasks", "registered tasks");
  const listTasks = add(tasks, "list", "list the tasks", async () => {
    return (await import("../commands/authority/authority-tasks.js")).listTasks;
  });
  narrowedByLife(listTasks).option("--agent <id>", "only this agent's");
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
      .option("--authority-token <source>", "token of an operator: env:VAR or file:PATH")
      .option(...INSECURE_HTTP);
}

function narrowed(command: Command): Command {
  return command
    .option("--account <id>", "only this account's")
    .option("--user <id>", "only this user's")
    .option("--limit <number>", "at most so many (default: all)");
}

function narrowedByLife(command: Command): Command {
  return narrowed(command)
    .option("--address <ip>", "only those that were registered from this address")
    .addOption(ofState(LIFE_STATES))
    .option("--created-since <time>", "only those registered since: RFC 3339, or 30m, 24h, 7d ago")
    .option("--used-since <time>", "only those used since, as far as that was reported")
    .option(
      "--unused-since <time>",
      "only those registered before and not used since, as far as that was reported",
    )
    .addOption(
      new Option(
        "--sort <order>",
        "newest or oldest first, or the last used one first, without what was not used",
      )
        .choices(SORTS)
        .default("newest"),
    );
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
  revocation = "revoke <id>",
): { readonly revoke: Command } {
  add(group, "show <id>", `show the ${what}`, async () => (await load()).show);
  const revoke = add(
    group,
    revocation,
    `revoke the ${what}, ${consequence}`,
    async () => (await load()).revoke,
  ).option(...REASON);
  add(
    group,
    "restore <id>",
    `take the ${what}'s own revocation back`,
    async () => (await load()).restore,
  ).option(...REASON);
  return { revoke };
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
    .requiredOption("--user <id>", "user")
    .option(...REASON)
    .option("--even-if-unknown", EVEN_IF_UNKNOWN);
  add(users, "restore", "take a user's own revocation back", async () => {
    return (await import("../commands/authority/authority-users.js")).restoreUser;
  })
    .requiredOption("--account <id>", "account")
    .requiredOption("--user <id>", "user")
    .option(...REASON);

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
  })
    .option(...REASON)
    .option("--even-if-unknown", EVEN_IF_UNKNOWN);
  add(accounts, "restore <id>", "take an account's revocation back", async () => {
    return (await import("../commands/authority/authority-accounts.js")).restoreAccount;
  }).option(...REASON);
}

function addAuditCommands(authority: Command, declare: Declare, add: Add): void {
  const audit = declare.group(authority, "audit", "the audit log: every change and every refusal");
  add(
    audit,
    "tail",
    "print events, the newest ones or those of a time, one line for each",
    async () => {
      return (await import("../commands/authority/authority-audit.js")).tailAudit;
    },
  )
    .option("--follow", "go on with those that come, until SIGINT or SIGTERM")
    .option("--after <sequence>", "the events after this one instead of the newest")
    .option(
      "--since <time>",
      "the events since then: 2026-01-31T12:00:00Z, or 30m for 30 minutes ago",
    )
    .option(
      "--until <time>",
      "the events before then: 2026-01-31T12:00:00Z, or 30m for 30 minutes ago",
    )
    .option("--reverse", "the newest first")
    .option(
      "--limit <number>",
      "at most so many (default: the 20 newest; all with --after, --since or --until)",
    )
    .option("--action <action>", "only events of this action, such as agent_revoked")
    .option("--code <code>", "only refusals with this code")
    .option("--refused", "only refusals")
    .option("--account <id>", "only this account's")
    .option("--user <id>", "only this user's")
    .option("--agent <id>", "only events about this agent")
    .option("--task <id>", "only events about this task")
    .option("--address <address>", "only requests from this address")
    .option("--actor <actor>", "only what this actor did, such as admin:token_…")
    .option("--request <id>", "only events of this request")
    .addHelpText("after", TAIL_EXAMPLES);
}
