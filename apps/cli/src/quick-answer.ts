import { join } from "node:path";
import { findUserHome } from "@countersign/agent-identity/user-home";
import { readCachedHeader } from "./header-cache.js";
import { readVersion } from "./version.js";

/**
 * Answers `--version`, and a `header` that was signed within the last seconds, without loading anything of the rest.
 *
 * Whatever is not plainly one of these two is left to the program: other options, an unusual home, a cache that fits no more.
 *
 * @returns whether the answer was printed
 */
export function answerQuickly(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  stdout: { write(text: string): unknown },
  now: () => number = Date.now,
): boolean {
  if (args.length === 1 && args[0] === "--version") {
    stdout.write(`${readVersion()}\n`);
    return true;
  }
  const scope = headerScopeOf(args, environment);
  if (scope === undefined) return false;
  const home = plainHome(environment.COUNTERSIGN_HOME);
  if (home === undefined) return false;
  const line = readCachedHeader({ home, scope, environment, now: now() });
  if (line === undefined) return false;
  stdout.write(`${line}\n`);
  return true;
}

function plainHome(named: string | undefined): string | undefined {
  if (named) return named.startsWith("/") ? named : undefined;
  const found = findUserHome();
  return "path" in found ? join(found.path, ".countersign") : undefined;
}

function headerScopeOf(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): string | undefined {
  if (args[0] !== "header") return undefined;
  if (args.length === 1) return environment.COUNTERSIGN_THREAD || "cli";
  if (args.length === 3 && args[1] === "--thread" && !args[2]?.startsWith("-")) return args[2];
  return undefined;
}
