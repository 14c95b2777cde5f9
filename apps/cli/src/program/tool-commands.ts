import type { Command } from "commander";
import { CODEX_PROGRAM, codexGeneration, type Declare, INSECURE_HTTP } from "./declare.js";

/** Declares `demo`, `doctor`, `codex`, `conformance` and `completion`. */
export function declareToolCommands(program: Command, declare: Declare): void {
  declare.command(program, "demo", "the whole story on loopback, each step verified", async () => {
    return (await import("../commands/demo.js")).demo;
  });

  declare
    .command(
      program,
      "doctor",
      "look at everything that a signed request needs; changes and registers nothing",
      async () => (await import("../commands/doctor.js")).doctor,
    )
    .option("--thread <id>", "thread to look at (default: COUNTERSIGN_THREAD, else the scope cli)")
    .option(...INSECURE_HTTP);

  const codex = declare.group(program, "codex", "work with Codex");
  declare
    .command(
      codex,
      "export",
      "write a Codex home that uses this authority and gateway",
      async () => {
        return (await import("../commands/codex/codex-export.js")).exportCodexHome;
      },
    )
    .requiredOption("--codex-home <folder>", "folder to write; made when missing")
    .option(
      "--authority <url>",
      "base URL of the authority (default: COUNTERSIGN_AUTHORITY, else the configuration's)",
    )
    .option("--gateway <url>", "base URL of the gateway (default: the configuration's)")
    .requiredOption("--account <id>", "account")
    .requiredOption("--user <id>", "user")
    .option("--token-stdin", "read the token from stdin (default: COUNTERSIGN_ACCESS_TOKEN)")
    .option("--force", "replace files that are there already")
    .option(...INSECURE_HTTP);
  declare
    .command(
      codex,
      "run [arguments...]",
      "start Codex in a Codex home so that it works with the home's authority",
      async () => (await import("../commands/codex/codex-run.js")).runCodex,
    )
    .usage("--codex-home FOLDER [options] -- [ARGUMENTS OF CODEX]")
    .requiredOption("--codex-home <folder>", "folder that codex export wrote")
    .option(...CODEX_PROGRAM)
    .addOption(codexGeneration())
    .option(...INSECURE_HTTP);
  declare
    .command(
      codex,
      "repair",
      "remove the task of a Codex home if it has ended; Codex then registers another one",
      async () => (await import("../commands/codex/codex-repair.js")).repairCodex,
    )
    .requiredOption("--codex-home <folder>", "folder with Codex's auth.json")
    .option("--authority <url>", "base URL of its authority (default: its config.toml's)")
    .option(...INSECURE_HTTP);

  const conformance = declare.group(program, "conformance", "test vectors");
  declare.command(conformance, "run <folder>", "run every vector file of a folder", async () => {
    return (await import("../commands/conformance.js")).runVectors;
  });

  declare.command(
    program,
    "completion <shell>",
    "print a completion script: bash, zsh or fish",
    async () => {
      const { completion } = await import("../commands/completion.js");
      return (run, _options: unknown, operands) => completion(run, program, operands);
    },
  );
}
