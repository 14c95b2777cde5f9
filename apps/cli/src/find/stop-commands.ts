import type {
  AccessTokenInfo,
  AccountInfo,
  AgentInfo,
  FoundEntries,
  TaskInfo,
  UserInfo,
} from "@countersign/agent-authority";
import type { RegistryOptions } from "../session/registry-session.js";
import { quoteArgument } from "../text/quote-argument.js";

/** A command that stops something. */
export interface StopCommand {
  /** What it stops, such as `the task`. */
  readonly stops: string;
  readonly command: string;
}

/** One thing that was found, with what stops it. */
export interface Match {
  readonly kind: "task" | "agent" | "token" | "user" | "account";
  readonly entry: object;
  /** The command that lists its live tasks; absent for a task, a token, and what has ended. */
  readonly tasks?: string | undefined;
  /** Empty: it has ended. */
  readonly stop: readonly StopCommand[];
}

/** Options that say which registry a command works on. */
export interface FoundWhere extends RegistryOptions {
  readonly insecureHttp?: boolean;
}

/** Gives each thing that was found, the smallest first, with the commands that stop it and what is above it. */
export function withStops(found: FoundEntries, where: FoundWhere): readonly Match[] {
  const end = targetOf(where);
  const line = (...words: readonly string[]) =>
    ["countersign", "authority", ...words, ...end].map(quoteArgument).join(" ");
  const command = (stops: string, ...words: readonly string[]): StopCommand => ({
    stops,
    command: line(...words),
  });
  const tasks = (...filter: readonly string[]) =>
    line("tasks", "list", ...filter, "--state", "active");
  const agent = (stops: string, id: string) => command(stops, "agents", "revoke", id);
  const user = (stops: string, { accountId, userId }: Pick<UserInfo, "accountId" | "userId">) =>
    command(stops, "users", "revoke", "--account", accountId, "--user", userId);
  const stopsOf = {
    task: (it: TaskInfo) => [
      command("the task", "tasks", "revoke", it.taskId),
      agent("its agent", it.agentRuntimeId),
    ],
    agent: (it: AgentInfo) => [agent("the agent", it.agentRuntimeId), user("its user", it)],
    token: (it: AccessTokenInfo) => [
      command("the token", "token", "revoke", it.id),
      user("its user", it),
    ],
    user: (it: UserInfo) => [user("the user", it)],
    account: (it: AccountInfo) => [command("the account", "accounts", "revoke", it.accountId)],
  };
  const matches = <Kind extends Match["kind"], Entry extends { readonly state: string }>(
    kind: Kind,
    entries: readonly Entry[],
    stops: (entry: Entry) => StopCommand[],
    tasksOf?: (entry: Entry) => string,
  ): Match[] =>
    entries.map((entry) =>
      entry.state === "active"
        ? { kind, entry, tasks: tasksOf?.(entry), stop: stops(entry) }
        : { kind, entry, stop: [] },
    );
  return [
    ...matches("task", found.tasks, stopsOf.task),
    ...matches("agent", found.agents, stopsOf.agent, (it) => tasks("--agent", it.agentRuntimeId)),
    ...matches("token", found.accessTokens, stopsOf.token),
    ...matches("user", found.users, stopsOf.user, (it) =>
      tasks("--account", it.accountId, "--user", it.userId),
    ),
    ...matches("account", found.accounts, stopsOf.account, (it) =>
      tasks("--account", it.accountId),
    ),
  ];
}

// The same registry as the search was on, by the same names of its secrets.
function targetOf({ database, authority, authorityToken, insecureHttp }: FoundWhere): string[] {
  return [
    ...(database === undefined ? [] : ["--database", database]),
    ...(authority === undefined ? [] : ["--authority", authority]),
    ...(authorityToken === undefined ? [] : ["--authority-token", authorityToken]),
    ...(insecureHttp === true ? ["--insecure-http"] : []),
  ];
}
