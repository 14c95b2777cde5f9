import { type Command, Option, type OptionValues } from "commander";
import { CODEX_GENERATIONS } from "../codex/codex-generation.js";
import type { CommandHandler, CommonOptions, Run } from "../config/run.js";

/** Declares commands of one program. */
export interface Declare {
  /** Declares a command with the options that every command has; `load` imports what it does when it is called. */
  command<Options>(
    parent: Command,
    nameAndArguments: string,
    description: string,
    load: () => Promise<CommandHandler<Options>>,
  ): Command;
  /** Declares a command that only holds others. */
  group(parent: Command, name: string, description: string): Command;
}

/**
 * Makes the {@link Declare} of one program.
 *
 * @param signal - cancels its commands
 * @param onExitCode - called with the exit code that a command returns
 */
export function createDeclare(signal: AbortSignal, onExitCode: (code: number) => void): Declare {
  return {
    command<Options>(
      parent: Command,
      nameAndArguments: string,
      description: string,
      load: () => Promise<CommandHandler<Options>>,
    ) {
      const command = parent.command(nameAndArguments).description(description);
      command.action(async () => {
        const [run, handler] = await Promise.all([createRunOf(command, signal), load()]);
        const { enable, disable } = run.options;
        if (enable.length + disable.length > 0) {
          (await import("../config/features.js")).checkSwitches(enable, disable);
        }
        const exitCode = await handler(run, command.opts<Options & OptionValues>(), command.args);
        if (exitCode !== undefined) onExitCode(exitCode);
      });
      return addCommonOptions(command);
    },
    group(parent, name, description) {
      return parent.command(name).description(description);
    },
  };
}

/** Adds the options that every command has. */
export function addCommonOptions(command: Command): Command {
  return command
    .addOption(new Option("--json", "print JSON on stdout"))
    .addOption(
      new Option("--enable <key>", "turn a feature on for this command").argParser(collect),
    )
    .addOption(
      new Option("--disable <key>", "turn a feature off for this command").argParser(collect),
    );
}

/** The option of commands that may send the human's token in place of an assertion, as arguments of `Command.option`. */
export const BEARER_ORIGIN = [
  "--bearer-origin <origin>",
  "let the human's token go to this origin while the feature is off, or in a fallback (may be repeated)",
  collect,
] as const;

/** The option of commands that send credentials somewhere, as arguments of `Command.option`. */
export const INSECURE_HTTP = [
  "--insecure-http",
  "allow plain http to other machines; every machine on the way can read every credential",
] as const;

/** The option of servers that write an audit, as arguments of `Command.option`. */
export const AUDIT = [
  "--audit <file>",
  "append one JSON line for each request to this file; - is stdout, and what else is printed there goes to stderr",
] as const;

/** The option for what happens to requests while their lines of the audit cannot be written. */
export function auditFailure(): Option {
  return new Option(
    "--audit-failure <action>",
    "while the audit cannot be written: serve requests, and count the lines that are lost; or refuse them with 503 (default: serve)",
  ).choices(["serve", "refuse"]);
}

/** The option of servers that have a listener for their operators, as arguments of `Command.option`. */
export const OPERATIONS_LISTEN = [
  "--operations-listen <host:port>",
  "listen for probes and figures there too: /healthz, /readyz and /metrics, open to every program that reaches them",
] as const;

/** The option of servers that stand behind a load balancer, as arguments of `Command.option`. */
export const DRAIN_DELAY = [
  "--drain-delay <duration>",
  "after SIGTERM: /readyz fails for so long while all requests are served, then new connections are refused, 0s to 10m (default 0s)",
] as const;

/** The option of servers whose requests may take long, as arguments of `Command.option`. */
export const DRAIN_TIMEOUT = [
  "--drain-timeout <duration>",
  "after SIGTERM and the drain delay: how long open requests, streams and WebSockets may take to end by themselves, 0s to 1h (default 10s)",
] as const;

/** The options of proxies that bound how long an upstream may be silent, as arguments of `Command.option`. */
export const RESPONSE_TIMEOUT = [
  "--response-timeout <duration>",
  "how long the upstream may take to begin its answer, 1s to 24h (default 15m)",
] as const;
export const IDLE_TIMEOUT = [
  "--idle-timeout <duration>",
  "how long a body or an event stream may stand still, 1s to 24h (default 15m)",
] as const;

/** The option of proxies that names fields of their clients to let pass, as arguments of `Command.option`. */
export const FORWARD_HEADER = [
  "--forward-header <name>",
  "let this header of a client pass, a key, tenant or address that is dropped otherwise (may be repeated)",
  collect,
] as const;

/** The option of commands that ask a Codex for its version, as arguments of `Command.option`. */
export const CODEX_PROGRAM = [
  "--codex <path>",
  "program of Codex (default: codex, found in PATH)",
] as const;

/** Makes the option of commands that work for one generation of Codex. */
export function codexGeneration(choices: readonly string[] = CODEX_GENERATIONS): Option {
  return new Option(
    "--generation <generation>",
    "how that Codex works (default: by codex --version)",
  ).choices(choices);
}

/** Collects the values of an option that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

async function createRunOf(command: Command, signal: AbortSignal): Promise<Run> {
  const { createRun } = await import("../config/run.js");
  const options: Partial<CommonOptions>[] = [command.opts()];
  for (let parent = command.parent; parent !== null; parent = parent.parent) {
    options.unshift(parent.opts());
  }
  return createRun(
    {
      json: options.some(({ json }) => json === true),
      enable: options.flatMap(({ enable }) => enable ?? []),
      disable: options.flatMap(({ disable }) => disable ?? []),
      insecureHttp: options.some(({ insecureHttp }) => insecureHttp === true),
    },
    signal,
  );
}
