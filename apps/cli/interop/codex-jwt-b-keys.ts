import type { Checks } from "./checks.ts";
import { CODEX_B } from "./codex-binary.ts";
import {
  ACCOUNT,
  type IdentityJwtCodex,
  type IssuedToken,
  startIdentityJwtCodex,
  UPSTREAM_AUTHORIZATION,
} from "./identity-jwt-codex.ts";
import type { InteropClient } from "./interop-client.ts";
import { ANSWER } from "./stub-answers.ts";

// A tool of its own, so that the turn goes on with another request.
const PLAN = {
  type: "function_call",
  ...{ id: "fc_1", call_id: "call_1", name: "update_plan" },
  arguments: JSON.stringify({ plan: [{ step: "say hello", status: "completed" }] }),
};
/** Codex of generation B loads its identity JWT for each of its parts, and registers a task each time. */
const TASKS_OF_A_RUN = 3;

/** Codex of generation B with an identity JWT that this authority issued. */
export const CODEX_JWT_B_KEYS: InteropClient = {
  name: `codex ${CODEX_B.name} jwt, keys`,
  async run(checks, scene) {
    const codex = await startIdentityJwtCodex(scene);
    const first = await codex.issue();
    await answered(checks, codex, "first run", first);

    const rotated = JSON.parse(await codex.authority("keys", "rotate", "--json"));
    await answered(checks, codex, "a JWT of the former signing key", first);
    const second = await codex.issue();
    checks.equal("the next JWT is of the new signing key", second.kid, rotated.kid);
    await answered(checks, codex, "a JWT of the new signing key", second);

    await revokeTaskInTurn(checks, codex, second);
    await revokeAgent(checks, codex, second);
    await answered(checks, codex, "the other JWT", first);
    const audited = await codex.audited();
    checks.equal(
      "whatever Codex sent to the gateway was signed, its question for models too",
      [
        audited.filter(({ agent_runtime_id }) => agent_runtime_id === undefined),
        audited.some(({ path }) => path.startsWith("/v1/models")),
      ],
      [[], true],
    );
    checks.equal(
      "neither a JWT nor an assertion reaches the upstream",
      codex.upstream.requests.filter(({ headers }) => {
        const text = JSON.stringify(headers);
        return (
          [first, second].some(({ identity_token }) => text.includes(identity_token)) ||
          text.includes("AgentAssertion")
        );
      }).length,
      0,
    );
  },
};

async function answered(
  checks: Checks,
  codex: IdentityJwtCodex,
  name: string,
  { identity_token, agent_runtime_id }: IssuedToken,
): Promise<void> {
  checks.say(`${name}: codex exec`);
  const turnsBefore = (await codex.turns()).length;
  const sentBefore = codex.upstream.requests.length;
  const tasksBefore = (await codex.list("tasks")).length;
  const result = await codex.exec(identity_token, "say hello");
  checks.equal(`${name}: exit code`, result.code, 0);
  if (result.code !== 0) checks.say(result.stderr);
  checks.equal(`${name}: the answer is shown`, result.stdout.trim(), ANSWER);

  const tasks = (await codex.list("tasks")).slice(tasksBefore);
  checks.equal(
    `${name}: tasks, all of the agent in the JWT`,
    tasks.map((task) => task.agent_runtime_id),
    Array.from({ length: TASKS_OF_A_RUN }, () => agent_runtime_id),
  );
  const turns = (await codex.turns(turnsBefore + 1)).slice(turnsBefore);
  checks.equal(
    `${name}: the gateway verified one turn, and names its agent`,
    turns.map(({ status, code, agent_runtime_id: agent, account_id }) => [
      ...[status, code, agent, account_id],
    ]),
    [[200, undefined, agent_runtime_id, ACCOUNT]],
  );
  const [turn] = turns;
  checks.ok(
    `${name}: and one of its tasks`,
    tasks.some(({ task_id }) => task_id === turn?.task_id),
  );
  const sent = codex.upstream.requests.slice(sentBefore);
  checks.equal(
    `${name}: the upstream sees who called, and the gateway's credential`,
    sent
      .filter(({ path }) => path.endsWith("/responses"))
      .map(({ headers }) => [
        headers["x-agent-runtime-id"],
        headers["x-agent-task-id"],
        headers["x-agent-account-id"],
        headers.authorization,
      ]),
    [[agent_runtime_id, turn?.task_id, ACCOUNT, UPSTREAM_AUTHORIZATION]],
  );
}

async function revokeTaskInTurn(
  checks: Checks,
  codex: IdentityJwtCodex,
  { identity_token }: IssuedToken,
): Promise<void> {
  checks.say("a task that is revoked in its turn: codex exec");
  const { upstream } = codex;
  const turnsBefore = (await codex.turns()).length;
  const isTurn = ({ path }: { readonly path: string }) => path.endsWith("/responses");
  const sent = () => upstream.requests.filter(isTurn);
  const sentBefore = sent().length;
  // The model answers with a tool call once its task is gone; the tool's result is then the next request.
  const revoked = (async () => {
    while (sent().length === sentBefore) await upstream.arrived(upstream.requests.length + 1);
    const task = String(sent().at(-1)?.headers["x-agent-task-id"]);
    await codex.authority("tasks", "revoke", task);
    return task;
  })();
  upstream.answerNext({ until: revoked, output: PLAN });
  const result = await codex.exec(identity_token, "say hello");
  checks.equal("a task that is revoked in its turn: exit code", result.code, 1);
  // Where no request came, there is nothing to wait for any more.
  const task = await Promise.race([revoked, Promise.resolve(undefined)]);
  const [before, ...after] = (await codex.turns(turnsBefore + 2)).slice(turnsBefore);
  checks.equal(
    "a task that is revoked in its turn: its first request was verified",
    [before?.status, before?.task_id],
    [200, task],
  );
  checks.ok("a task that is revoked in its turn: there were others", after.length > 0);
  checks.equal(
    "a task that is revoked in its turn: each other is refused with 401 task_revoked",
    after.filter(({ status, code }) => status !== 401 || code !== "task_revoked"),
    [],
  );
  checks.equal(
    "a task that is revoked in its turn: none of them reaches the upstream",
    sent().length - sentBefore,
    1,
  );
}

async function revokeAgent(
  checks: Checks,
  codex: IdentityJwtCodex,
  { identity_token, agent_runtime_id }: IssuedToken,
): Promise<void> {
  checks.say("a revoked agent: codex exec");
  await codex.authority("agents", "revoke", agent_runtime_id);
  const counts = async () => [
    (await codex.list("tasks")).length,
    (await codex.turns()).length,
    codex.upstream.requests.length,
  ];
  const before = await counts();
  const result = await codex.exec(identity_token, "say hello");
  checks.equal("a revoked agent: exit code", result.code, 1);
  checks.ok(
    "a revoked agent: Codex says that it gets no task, and the authority's code",
    /failed to register agent task with status 401.*agent_revoked/s.test(result.stderr),
  );
  checks.equal(
    "a revoked agent: tasks, requests at the gateway and at the upstream",
    await counts(),
    before,
  );
}
