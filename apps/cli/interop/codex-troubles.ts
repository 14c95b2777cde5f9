import type { Trouble } from "./codex-cells.ts";
import type { Place } from "./codex-place.ts";
import { type CodexRun, runCodex, useAppServer, watchRun } from "./codex-run.ts";
import { FLAG } from "./codex-ways.ts";
import { ANSWER } from "./stub-answers.ts";

/** Does what makes turns fail, and checks what the user is told. The agent is of no use after it. */
export async function checkTroubles(place: Place): Promise<void> {
  const { checks, cell, stage, home } = place;
  const { authority } = stage;
  const lastVerified = async () => (await stage.audited()).findLast(({ task_id }) => task_id);

  await useAppServer(stage, home, async (server) => {
    const thread = await server.startThread();
    await server.turn(thread, "one");
    await authority.registry.revokeTask((await lastVerified())?.task_id ?? "");
    const run = await watchRun(stage, async () => {
      const { status, message } = await server.turn(thread, "two");
      const isDone = status === "completed";
      return { code: isDone ? 0 : 1, stdout: isDone ? ANSWER : "", stderr: message };
    });
    checkTrouble(place, "task revoked", run);
    return "";
  });
  const next = await runCodex(stage, home, "exec resume --last 'Are you still there?'");
  checkTrouble(place, "next run after it", next);

  await authority.registry.revokeAgent((await lastVerified())?.agent_runtime_id ?? "");
  checkTrouble(place, "agent revoked", await runCodex(stage, home, "exec 'Say hello.'"));

  const cold = await cell.way.prepare(stage, "codex-cold");
  await authority.goAway();
  const down = await runCodex(stage, cold);
  checkTrouble(place, "authority down", down);
  checks.say(`authority down: the user is told after ${down.seconds} s`);
}

function checkTrouble({ checks, cell }: Place, trouble: Trouble, run: CodexRun): void {
  const { told, refused, registrations } = cell.troubles[trouble];
  const isAnswered = told === ANSWER;
  checks.equal(
    `${trouble}: exit code, and answers of the upstream`,
    [run.exit, run.turns],
    isAnswered ? [0, 1] : [1, 0],
  );
  const shown = isAnswered ? run.stdout : run.stderr;
  if (shown.includes(told)) checks.ok(`${trouble}: the user is told "${told}"`, true);
  else checks.fail(`${trouble}: the user is told "${told}"`, shown);
  const refusals = run.audited.filter(({ status }) => status >= 400);
  checks.equal(
    `${trouble}: refusals at the gateway`,
    [...new Set(refusals.map(({ code }) => code)), refusals.length <= (refused?.atMost ?? 0)],
    refused === undefined ? [true] : [refused.code, true],
  );
  if (refusals.length > 0) {
    checks.ok(
      `${trouble}: no JSON of the gateway is shown`,
      !/"(?:detail|code)":/.test(run.stderr),
    );
  }
  if (cell.way === FLAG && refused !== undefined && trouble !== "authority down") {
    checks.ok(`${trouble}: Codex refreshes its token at the authority`, run.refreshes > 0);
  }
  const [agents, tasks] = run.registered;
  const tried = agents + tasks + run.tried;
  const what = `${trouble}: registrations, at most ${registrations}`;
  if (tried <= registrations) checks.ok(what, true);
  else checks.fail(what, String(tried));
}
