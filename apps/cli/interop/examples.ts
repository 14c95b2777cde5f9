import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { startProcess } from "@countersign/testing";
import type { Checks } from "./checks.ts";
import { environmentOf } from "./countersign.ts";
import { holdNextAnswers } from "./held-answers.ts";
import type { ProxyChain } from "./proxy-chain.ts";

/** The examples that documents show, in folders by what they are about. */
export const EXAMPLES = join(import.meta.dirname, "../../../examples");

/** Why a program cannot be used: there is none that answers. */
export function whyNotProgram(program: string): string | undefined {
  const { status } = spawnSync(program, ["--version"], { stdio: "ignore" });
  return status === 0 ? undefined : `this machine has no ${program}`;
}

/**
 * Runs an example's program as a user of the proxy would. The first streamed answer is held back after its first piece until the program
 * printed that.
 *
 * @param piece - how the program prints the first piece
 * @returns what it printed
 */
export async function runExample(
  checks: Checks,
  chain: ProxyChain,
  [program, ...args]: readonly [string, ...string[]],
  piece: RegExp,
): Promise<string> {
  checks.say([program, ...args].join(" ").slice(0, 60));
  const arrives = holdNextAnswers(checks, chain.upstream);
  const running = await startProcess(program, args, {
    env: environmentOf({
      home: chain.home,
      env: { OPENAI_BASE_URL: `${chain.proxyUrl}/v1`, OPENAI_API_KEY: chain.clientToken },
    }),
    input: "",
    signal: AbortSignal.timeout(60_000),
  });
  await arrives(running, piece);
  const { code, stdout, stderr } = await running.exited;
  checks.equal("exit code", code, 0);
  if (code !== 0) checks.say(stderr);
  return stdout;
}
