import { readFile, writeFile } from "node:fs/promises";
import { type CodexCell, nameOf, type Turn } from "./codex-cells.ts";
import type { Place } from "./codex-place.ts";
import { type CodexRun, runCodex, useAppServer } from "./codex-run.ts";
import { ACCOUNT, startCodexStage, UPSTREAM_AUTHORIZATION } from "./codex-stage.ts";
import { checkTroubles } from "./codex-troubles.ts";
import { FLAG } from "./codex-ways.ts";
import type { InteropClient } from "./interop-client.ts";
import { ANSWER } from "./stub-answers.ts";

/** Runs everything that a cell of docs/codex.md stands for, in one home of Codex. */
export function codexCellClient(cell: CodexCell): InteropClient {
  return {
    name: `codex ${nameOf(cell)}`,
    async run(checks, scene) {
      const stage = await startCodexStage(scene, cell.release);
      const home = await cell.way.prepare(stage, "codex-agent");
      const place = { checks, cell, stage, home };
      await checkTurns(place);
      await checkWebSockets(place);
      await checkCompaction(place);
      await checkUpstream(place);
      await checkTroubles(place);
    },
  };
}

async function checkTurns(place: Place): Promise<void> {
  const { checks, cell, stage, home } = place;
  const runs = [
    checkTurn(place, "cold turn", await runCodex(stage, home)),
    checkTurn(place, "second thread", await runCodex(stage, home, "exec 'Say hello again.'")),
    checkTurn(place, "resumed thread", await runCodex(stage, home, "exec resume --last 'Again.'")),
  ];
  const server = await useAppServer(stage, home, async (it) => {
    const threads = [await it.startThread(), await it.startThread()] as const;
    const turns = [
      await it.turn(threads[0], "one"),
      await it.turn(threads[1], "two"),
      await it.turn(threads[0], "three"),
    ];
    return turns.every(({ status }) => status === "completed") ? ANSWER : JSON.stringify(turns);
  });
  checkTurn(place, "app-server, two threads", server, [200, 200, 200]);
  const tasks = [...runs, server].flatMap(({ audited }) => audited.map(({ task_id }) => task_id));
  checks.equal(
    `each ${cell.taskOf} has a task of its own`,
    tasks.map((task) => tasks.indexOf(task)),
    {
      thread: [0, 1, 1, 3, 4, 3],
      process: [0, 1, 2, 3, 3, 3],
      home: [0, 0, 0, 0, 0, 0],
    }[cell.taskOf],
  );
}

async function checkWebSockets(place: Place): Promise<void> {
  const { stage, home } = place;
  const config = await readFile(home.configFile, "utf8");
  const others = config.replace(/^supports_websockets = .*\n/m, "");
  // The provider is the last table of the file.
  await writeFile(home.configFile, `${others}supports_websockets = true\n`);
  const tunnelled = await runCodex(stage, home, "exec 'Say hello through a tunnel.'");
  checkTurn(place, "WebSocket", tunnelled, [101]);
  stage.upstream.servesWebSockets = false;
  const fallen = await runCodex(stage, home, "exec 'Say hello by HTTP.'");
  checkTurn(place, "426", fallen, [426, 200]);
  stage.upstream.servesWebSockets = true;
  await writeFile(home.configFile, config);
}

function checkTurn(
  { checks, cell }: Place,
  turn: Turn,
  run: CodexRun,
  statuses: readonly number[] = [200],
): CodexRun {
  checks.equal(`${turn}: exit code and answer`, [run.exit, run.stdout], [0, ANSWER]);
  if (run.exit !== 0) checks.say(`${turn}: ${run.stderr}`);
  checks.equal(`${turn}: agents and tasks`, run.registered, cell.registers[turn]);
  // By the flag of generation A connections are opened ahead of a turn under the human's token.
  const audited = run.audited.filter(({ code }) => code !== "missing");
  checks.equal(
    `${turn}: the gateway verified what came`,
    audited.map(({ status, code, account_id }) => [status, code, account_id]),
    statuses.map((status) => [status, undefined, ACCOUNT]),
  );
  return { ...run, audited };
}

async function checkCompaction({ checks, cell, stage, home }: Place): Promise<void> {
  const run = await useAppServer(stage, home, async (server) => {
    const thread = await server.startThread();
    const { id } = await server.turn(thread, "one");
    return (await server.compact(thread, id)).status;
  });
  checks.equal(
    `a thread ${cell.compacts ? "is" : "cannot be"} compacted through the gateway`,
    [...new Set(run.audited.slice(1).map(({ code }) => code ?? "verified"))],
    [cell.compacts ? "verified" : "missing"],
  );
}

async function checkUpstream({ checks, cell, stage }: Place): Promise<void> {
  const agents = await stage.authority.registry.listAgents({});
  const tasks = await stage.authority.registry.listTasks({});
  checks.equal("the authority has one agent", agents.length, 1);
  const seen = [
    ...stage.upstream.requests.filter(({ path }) => path.endsWith("/responses")),
    ...stage.upstream.sockets,
  ].map(({ headers }) => headers);
  checks.equal(
    "the upstream sees who called, and the gateway's credential",
    seen.filter(
      (headers) =>
        headers["x-agent-runtime-id"] !== agents[0]?.agentRuntimeId ||
        headers["x-agent-account-id"] !== ACCOUNT ||
        headers.authorization !== UPSTREAM_AUTHORIZATION ||
        !tasks.some(({ taskId }) => taskId === headers["x-agent-task-id"]),
    ),
    [],
  );
  if (cell.way === FLAG) {
    const asked = (await stage.audited()).filter(({ path }) => path.includes("/models"));
    checks.equal(
      "the question for models, under the human's token, goes to the gateway, which refuses it",
      [...new Set(asked.map(({ code }) => code))],
      ["missing"],
    );
  }
  checks.ok("no AgentAssertion reaches it", !JSON.stringify(seen).includes("AgentAssertion"));
}
