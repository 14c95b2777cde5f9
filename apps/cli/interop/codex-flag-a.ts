import { CODEX_A } from "./codex-binary.ts";
import {
  ACCOUNT,
  checkRun,
  startExportedCodex,
  UPSTREAM_AUTHORIZATION,
  USER,
} from "./exported-codex.ts";
import { type AuditLine, readAudit } from "./gateway-audit.ts";
import type { InteropClient } from "./interop-client.ts";

const isTurn = ({ path }: { readonly path: string }) => path.endsWith("/responses");

/** Codex of generation A, which registers its agents by itself: its turns by HTTP. */
export const CODEX_FLAG_A: InteropClient = {
  name: `codex ${CODEX_A.name} flag`,
  async run(checks, scene) {
    const codex = await startExportedCodex(scene);
    const { authority, upstream, auditFile } = codex;
    const run = (
      name: string,
      args: string[],
      counts: [number, number, number, number],
      exit = 0,
    ) => checkRun(checks, codex, name, args, { exit, counts });

    await run("cold start", ["say hello"], [2, 1, 1, 1]);
    await run("second thread", ["say hello again"], [1, 0, 1, 1]);
    await run("resumed thread", ["resume", "--last", "and once more"], [0, 0, 0, 1]);

    const [agent, ...otherAgents] = await authority.registry.listAgents({});
    const tasks = await authority.registry.listTasks({});
    checks.equal("the authority has one agent", otherAgents.length, 0);
    checks.equal(
      "of the exported account and user",
      [agent?.accountId, agent?.userId],
      [ACCOUNT, USER],
    );
    checks.equal("the authority has one task for each thread", tasks.length, 2);

    const areThree = (lines: readonly AuditLine[]) => lines.filter(isTurn).length >= 3;
    const audited = (await readAudit(auditFile, areThree)).filter(isTurn);
    checks.equal(
      "the gateway saw three requests and verified each",
      audited.map(({ status, code }) => [status, code]),
      Array.from({ length: 3 }, () => [200, undefined]),
    );
    const resumedTask = audited.at(-1)?.task_id ?? "";
    checks.equal(
      "threads have tasks of their own, the resumed thread goes on in its task",
      audited.map(({ task_id }) => task_id),
      [tasks.find(({ taskId }) => taskId !== resumedTask)?.taskId, resumedTask, resumedTask],
    );
    const forwarded = upstream.requests.filter(isTurn);
    checks.equal(
      "the upstream sees who called, and the gateway's credential in place of the assertion",
      forwarded.map(({ headers }) => ({
        agent: headers["x-agent-runtime-id"],
        task: headers["x-agent-task-id"],
        account: headers["x-agent-account-id"],
        authorization: headers.authorization,
      })),
      audited.map(({ task_id }) => ({
        agent: agent?.agentRuntimeId,
        task: task_id,
        account: ACCOUNT,
        authorization: UPSTREAM_AUTHORIZATION,
      })),
    );
    checks.equal(
      "no AgentAssertion reaches the upstream, in any header",
      upstream.requests.filter(({ headers }) => JSON.stringify(headers).includes("AgentAssertion"))
        .length,
      0,
    );
    checks.ok(
      "bodies reach the upstream",
      forwarded.every(({ body }) => body.length > 1000),
    );

    await authority.registry.revokeTask(resumedTask);
    const upstreamBefore = upstream.requests.length;
    const auditedBefore = (await readAudit(auditFile)).length;
    await run("revoked task", ["resume", "--last", "are you still there"], [0, 0, 0, 0], 1);
    const refused = (await readAudit(auditFile)).slice(auditedBefore);
    checks.ok("the gateway refused at least once", refused.length > 0);
    checks.equal(
      "with 401 task_revoked each time",
      refused.filter(({ status, code }: AuditLine) => status !== 401 || code !== "task_revoked"),
      [],
    );
    checks.equal("nothing reached the upstream", upstream.requests.length - upstreamBefore, 0);
  },
};
