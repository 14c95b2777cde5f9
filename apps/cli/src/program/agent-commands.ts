import type { Command } from "commander";
import {
  BEARER_ORIGIN,
  CODEX_PROGRAM,
  codexGeneration,
  collect,
  type Declare,
  INSECURE_HTTP,
} from "./declare.js";

const THREAD = "thread (default: COUNTERSIGN_THREAD, else the scope cli)";

const THREAD_LABEL = [
  "--thread-label <text>",
  "what operators of the authority find the thread's tasks by, no secret (default: as stored, else none)",
] as const;

const REQUEST_EXAMPLES = `
Examples:
  countersign request https://gateway.example/v1/models --origin https://gateway.example
  countersign request POST https://gateway.example/v1/responses --thread t42 --data @body.json --binding`;

const HEADER_HELP = `
The line is for no request in particular, so that it cannot be bound to one: where a server requires
binding, use "countersign request --binding" or "countersign proxy --binding".`;

/** Declares `identity`, `task`, `header` and `request`: what an agent on this machine does. */
export function declareAgentCommands(program: Command, declare: Declare): void {
  const identity = declare.group(program, "identity", "the agent of this machine");
  declare
    .command(identity, "ensure", "register the agent unless it is registered", async () => {
      return (await import("../commands/identity/identity.js")).ensureIdentity;
    })
    .option(...INSECURE_HTTP);
  declare
    .command(identity, "show", "show the agent, without the network", async () => {
      return (await import("../commands/identity/identity.js")).showIdentity;
    })
    .option(...INSECURE_HTTP);
  declare.command(
    identity,
    "list",
    "list the stored agents, the current one marked, without the network",
    async () => (await import("../commands/identity/identity-list.js")).listIdentities,
  );
  declare
    .command(
      identity,
      "rotate",
      "give the agent a new key; one that was cut off is finished",
      async () => (await import("../commands/identity/identity-rotate.js")).rotateIdentity,
    )
    .option("--compromised", "the key is in other hands: it ends at once")
    .option(...INSECURE_HTTP);
  declare
    .command(identity, "revoke", "end the login's agent at the authority, for good", async () => {
      return (await import("../commands/identity/identity-revoke.js")).revokeIdentity;
    })
    .option(...INSECURE_HTTP);
  declare
    .command(identity, "forget", "remove a stored agent; the authority is not told", async () => {
      return (await import("../commands/identity/identity-forget.js")).forgetIdentity;
    })
    .option("--account <id>", "its account (default: the login's)")
    .option("--user <id>", "its user (default: the login's)")
    .option("--authority <url>", "its authority (default: the one in use)")
    .option("--force", "also if its key may work: that key is then lost");
  declare
    .command(identity, "import", "keep the agent of a Codex home here too", async () => {
      return (await import("../commands/identity/identity-import.js")).importIdentity;
    })
    .requiredOption("--codex-home <folder>", "folder with Codex's auth.json")
    .requiredOption("--authority <url>", "base URL of the authority that it is registered with")
    .option(...INSECURE_HTTP);
  declare
    .command(
      identity,
      "export",
      "put an agent into a Codex home, in the form that this Codex reads",
      async () => (await import("../commands/identity/identity-export.js")).exportIdentity,
    )
    .requiredOption("--codex-home <folder>", "folder with Codex's auth.json")
    .option("--authority <url>", "base URL of its authority (default: the one in use)")
    .option(...CODEX_PROGRAM)
    .addOption(codexGeneration(["A", "C"]))
    .option(...INSECURE_HTTP);

  const task = declare.group(program, "task", "tasks of threads");
  declare
    .command(task, "ensure", "register a task for the thread unless it has one", async () => {
      return (await import("../commands/task.js")).ensureTask;
    })
    .option("--thread <id>", THREAD)
    .option(...THREAD_LABEL)
    .option(...INSECURE_HTTP);
  declare
    .command(task, "show", "show the thread's task, without the network", async () => {
      return (await import("../commands/task.js")).showTask;
    })
    .option("--thread <id>", THREAD)
    .option(...INSECURE_HTTP);
  declare.command(task, "list", "list the stored tasks, without the network", async () => {
    return (await import("../commands/task.js")).listTasks;
  });
  declare
    .command(
      task,
      "forget",
      "forget the thread's stored tasks; they stay valid unless revoked",
      async () => {
        return (await import("../commands/task.js")).forgetTask;
      },
    )
    .option("--thread <id>", THREAD)
    .option("--revoke", "end the tasks at their authority first, with the agent's key")
    .option(...INSECURE_HTTP);

  declare
    .command(
      program,
      "header",
      "print an Authorization line, for: countersign header | curl -H @- URL",
      async () => {
        return (await import("../commands/header.js")).header;
      },
    )
    .option("--thread <id>", THREAD)
    .option(...THREAD_LABEL)
    .option(...INSECURE_HTTP)
    .addHelpText("after", HEADER_HELP);

  declare
    .command(
      program,
      "request [arguments...]",
      "send one request as the thread's agent: [METHOD] URL",
      async () => {
        return (await import("../commands/request.js")).request;
      },
    )
    .usage("[METHOD] URL [options]")
    .option("--thread <id>", THREAD)
    .option(...THREAD_LABEL)
    .option("--header <line>", "add a header, 'Name: value' (may be repeated)", collect)
    .option("--data <data>", "send a body: the text, @FILE, or @- for stdin; makes the method POST")
    .option("--include", "print the status line and the headers of the answer first")
    .option(
      "--origin <origin>",
      "allow this origin besides the configured ones (may be repeated)",
      collect,
    )
    .option(...BEARER_ORIGIN)
    .option("--binding", "sign method, URL and body too, for servers that accept or require it")
    .option(...INSECURE_HTTP)
    .addHelpText("after", REQUEST_EXAMPLES);
}
