import { CODEX_A, CODEX_B, type CodexRelease } from "./codex-binary.ts";
import { nameOf } from "./codex-cells.ts";
import { runCodex } from "./codex-run.ts";
import { startCodexStage } from "./codex-stage.ts";
import { type CodexWay, FLAG, JWT } from "./codex-ways.ts";
import type { InteropClient } from "./interop-client.ts";

/** A version and a way that do not work together: a cell of the table in docs/codex.md, too. */
export interface CodexGap {
  readonly release: CodexRelease;
  readonly way: CodexWay;
  /** Part of what the user is told. */
  readonly told: string;
}

/** Every version and way that does not work. */
export const CODEX_GAPS: readonly CodexGap[] = [
  // It does not know the variable of the JWT, and sends its turns without any credential.
  { release: CODEX_A, way: JWT, told: "the request carries no AgentAssertion" },
  { release: CODEX_B, way: FLAG, told: "cannot register an agent for the login" },
];

/** Runs a turn, and checks how it fails. */
export function codexGapClient(gap: CodexGap): InteropClient {
  return {
    name: `codex ${nameOf(gap)}`,
    async run(checks, scene) {
      const stage = await startCodexStage(scene, gap.release);
      const home = await gap.way.prepare(stage, "codex-agent");
      const { exit, stderr, turns, registered } = await runCodex(stage, home);
      checks.ok("does not work: exit code", exit !== 0);
      if (stderr.includes(gap.told)) checks.ok(`the user is told "${gap.told}"`, true);
      else checks.fail(`the user is told "${gap.told}"`, stderr);
      checks.equal("answers of the upstream, agents, tasks", [turns, ...registered], [0, 0, 0]);
    },
  };
}
