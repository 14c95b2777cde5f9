import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Checks } from "./checks.ts";
import { CODEX_A } from "./codex-binary.ts";
import {
  ACCOUNT,
  checkRun,
  type ExportedCodex,
  startExportedCodex,
  UPSTREAM_AUTHORIZATION,
} from "./exported-codex.ts";
import { type AuditLine, readAudit } from "./gateway-audit.ts";
import type { InteropClient } from "./interop-client.ts";
import { ANSWER } from "./stub-answers.ts";

// Codex prepares each turn's connection ahead, under the human's token, and tries twice.
const PREPARED = 2;

const isTunnel = ({ status }: AuditLine) => status === 101;

/** Codex of generation A with `supports_websockets = true`: its turns through tunnels that the gateway opens for an assertion alone. */
export const CODEX_FLAG_A_WEB_SOCKET: InteropClient = {
  name: `codex ${CODEX_A.name} flag, websocket`,
  async run(checks, scene) {
    const codex = await startExportedCodex(scene);
    const { authority, upstream, auditFile } = codex;
    await useWebSockets(codex.configFile);
    const handshakes = async (tunnels = 0) => {
      const areThere = (lines: readonly AuditLine[]) => lines.filter(isTunnel).length >= tunnels;
      return (await readAudit(auditFile, areThere)).filter(
        ({ method, path }) => method === "GET" && path.endsWith("/responses"),
      );
    };
    const refused = async () => (await handshakes()).filter(({ status }) => status === 401);

    // The refusals arrive while the agent is being registered: Codex then reads its login again, forgets that, and registers once more.
    let isOver = false;
    scene.onEnd(async () => {
      isOver = true;
    });
    authority.holdNextAgent(until(async () => isOver || (await refused()).length >= PREPARED));
    const first = await checkRun(checks, codex, "cold start", ["say hello"], {
      exit: 0,
      counts: [3, 2, 1, 1],
    });
    checks.equal("cold start: the answer is shown", first.stdout.trim(), ANSWER);
    const resume = ["resume", "--last", "once more"];
    const again = await checkRun(checks, codex, "resumed thread", resume, {
      exit: 0,
      counts: [0, 0, 0, 1],
    });
    checks.equal("resumed thread: the answer is shown", again.stdout.trim(), ANSWER);

    await checkTunnels(checks, codex, await handshakes(2));

    // An upstream without WebSockets: its 426 passes the gateway, and Codex goes on by HTTP.
    upstream.servesWebSockets = false;
    const tunnelled = (await handshakes()).length;
    const fallen = await checkRun(checks, codex, "fall back", ["resume", "--last", "by http"], {
      exit: 0,
      counts: [0, 0, 0, 1],
    });
    checks.equal("fall back: the answer is shown", fallen.stdout.trim(), ANSWER);
    const handed = (await handshakes()).slice(tunnelled).filter(({ status }) => status !== 401);
    checks.ok(
      "fall back: the upstream's 426 is handed on",
      handed.length > 0 && handed.every(({ status }) => status === 426),
    );
    const isPost = ({ method }: AuditLine) => method === "POST";
    const posted = (await readAudit(auditFile, (lines) => lines.some(isPost))).filter(isPost);
    checks.equal(
      "fall back: one request by HTTP, in the thread's task",
      posted.map(({ status, task_id }) => [status, task_id]),
      [[200, (await handshakes()).find(isTunnel)?.task_id]],
    );
  },
};

/** Checks the two tunnels of two turns: what the gateway let through, and what it kept. */
async function checkTunnels(
  checks: Checks,
  { authority, upstream, accessToken }: ExportedCodex,
  handshakes: readonly AuditLine[],
): Promise<void> {
  const tunnels = handshakes.filter(isTunnel);
  const others = handshakes.filter((line) => !isTunnel(line));
  checks.equal("the gateway opened one tunnel for each turn", tunnels.length, 2);
  checks.ok("and refused what came ahead of the turns", others.length >= PREPARED);
  checks.equal(
    "with 401 missing: it came under the human's token",
    others.filter(({ status, code, task_id }) => status !== 401 || code !== "missing" || task_id),
    [],
  );
  const [task, ...otherTasks] = await authority.registry.listTasks({});
  checks.equal("the thread has one task, for all the registered agents", otherTasks.length, 0);
  checks.equal(
    "each tunnel is that task's, verified",
    tunnels.map(({ agent_runtime_id, task_id, account_id }) => [
      agent_runtime_id,
      task_id,
      account_id,
    ]),
    tunnels.map(() => [task?.agentRuntimeId, task?.taskId, ACCOUNT]),
  );
  checks.equal(
    "the upstream's handshakes say who called, with the gateway's credential in place of the assertion",
    upstream.sockets.map(({ path, headers }) => [
      path,
      headers["x-agent-runtime-id"],
      headers["x-agent-task-id"],
      headers["x-agent-account-id"],
      headers.authorization,
    ]),
    tunnels.map(() => [
      ...["/v1/responses", task?.agentRuntimeId, task?.taskId],
      ...[ACCOUNT, UPSTREAM_AUTHORIZATION],
    ]),
  );
  const frames = upstream.sockets.flatMap(({ messages }) => messages.map((it) => JSON.parse(it)));
  checks.equal(
    "its frames are the turns, none of what Codex sends ahead",
    frames.map(({ type, generate, input }) => [
      ...[type, generate, JSON.stringify(input).includes("say hello")],
    ]),
    frames.map(() => ["response.create", undefined, true]),
  );
  checks.ok(
    "the second turn has the prompt of the second run",
    JSON.stringify(frames.at(-1)?.input).includes("once more"),
  );
  checks.equal("nothing went by HTTP", upstream.requests.length, 0);
  const received = JSON.stringify(upstream.sockets);
  checks.ok("no AgentAssertion reached the upstream", !received.includes("AgentAssertion"));
  checks.ok("nor the human's token", !received.includes(accessToken));
}

async function useWebSockets(configFile: string): Promise<void> {
  const config = await readFile(configFile, "utf8");
  const edited = config.replace("supports_websockets = false", "supports_websockets = true");
  if (edited === config) throw new Error("the exported configuration has no supports_websockets");
  await writeFile(configFile, edited);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20);
}
