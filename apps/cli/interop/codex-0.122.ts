// The scenario of `pnpm interop` for Codex 0.122, started by run.ts inside a network namespace with loopback alone.
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProcess, startProcess } from "@countersign/testing";
import { Checks } from "./checks.ts";
import { type CountedAuthority, startCountedAuthority } from "./counted-authority.ts";
import { type StubResponsesApi, startStubResponsesApi } from "./stub-responses-api.ts";

const CLI = join(import.meta.dirname, "../dist/bin.js");
const ACCOUNT = "acct-1";
const USER = "user-1";
const UPSTREAM_KEY = "upstream-key-of-the-gateway";

interface AuditLine {
  readonly path: string;
  readonly status: number;
  readonly code?: string;
  readonly agent_runtime_id?: string;
  readonly task_id?: string;
  readonly account_id?: string;
}

async function countersign(args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await runProcess(process.execPath, [CLI, ...args], { input });
  if (code !== 0) throw new Error(`countersign ${args[0]} ended ${code}: ${stderr}`);
  return stdout;
}

async function readAudit(file: string): Promise<AuditLine[]> {
  const text = await readFile(file, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): AuditLine => JSON.parse(line));
}

async function main(codexBinary: string): Promise<number> {
  const checks = new Checks();
  const folder = await mkdtemp(join(tmpdir(), "countersign-interop-"));
  const authority = await startCountedAuthority(join(folder, "authority.db"));
  const upstream = await startStubResponsesApi();
  const auditFile = join(folder, "audit.jsonl");
  const gateway = await startProcess(
    process.execPath,
    [
      ...[CLI, "gateway", "--listen", "127.0.0.1:0", "--upstream", upstream.url],
      ...["--authority", authority.url, "--audit", auditFile, "--revocation-delay", "0s"],
      ...["--upstream-header", "Authorization: env:UPSTREAM_AUTHORIZATION"],
    ],
    {
      env: {
        COUNTERSIGN_HOME: join(folder, "gateway-home"),
        UPSTREAM_AUTHORIZATION: `Bearer ${UPSTREAM_KEY}`,
      },
    },
  );
  try {
    const [, gatewayUrl = ""] = await gateway.waitForLine(/^listening on (\S+)$/);
    const codexHome = join(folder, "codex-home");
    const work = join(folder, "work");
    await mkdir(work);
    const { token } = await authority.registry.createAccessToken({
      accountId: ACCOUNT,
      userId: USER,
      role: "human",
      ttlSeconds: 3600,
    });
    await countersign(
      [
        ...[
          "codex",
          "export",
          "--codex-home",
          codexHome,
          "--authority",
          authority.url,
          "--gateway",
          `${gatewayUrl}/v1`,
        ],
        ...["--account", ACCOUNT, "--user", USER, "--token-stdin"],
      ],
      token,
    );
    // Nothing of this process's environment reaches the client.
    const noVariables = Object.fromEntries(
      Object.keys(process.env).map((name) => [name, undefined]),
    );
    const codex = (...args: string[]) =>
      runProcess(codexBinary, ["exec", ...args], {
        cwd: work,
        env: { ...noVariables, PATH: process.env.PATH, HOME: codexHome, CODEX_HOME: codexHome },
      });
    await runSteps({ checks, authority, upstream, auditFile, codex });
  } finally {
    gateway.kill("SIGTERM");
    await gateway.exited;
    await upstream.close();
    await authority.close();
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${checks.passed} passed, ${checks.failed} failed`);
  return checks.failed === 0 ? 0 : 1;
}

interface Stage {
  readonly checks: Checks;
  readonly authority: CountedAuthority;
  readonly upstream: StubResponsesApi;
  readonly auditFile: string;
  readonly codex: (
    ...args: string[]
  ) => Promise<{ code: number | null; stdout: string; stderr: string }>;
}

async function runSteps(stage: Stage): Promise<void> {
  const { checks, authority, upstream, auditFile, codex } = stage;
  const responses = () =>
    upstream.requests.filter(({ path }) => path.endsWith("/responses")).length;
  const seen = () => ({ ...authority.counts(), responses: responses() });

  async function step(
    name: string,
    args: string[],
    expected: readonly number[],
    exit: number,
  ): Promise<void> {
    console.log(`==> ${name}: codex exec ${args.join(" ")}`);
    const before = seen();
    const { code, stdout, stderr } = await codex("--skip-git-repo-check", ...args);
    const after = seen();
    checks.equal(`${name}: exit code`, code, exit);
    if (code !== exit) console.log(stdout, stderr);
    checks.equal(
      `${name}: requests for biscuits, agents, tasks and responses`,
      [
        after.biscuits - before.biscuits,
        after.agents - before.agents,
        after.tasks - before.tasks,
        after.responses - before.responses,
      ],
      expected,
    );
  }

  await step("cold start", ["say hello"], [2, 1, 1, 1], 0);
  await step("second thread", ["say hello again"], [1, 0, 1, 1], 0);
  await step("resumed thread", ["resume", "--last", "and once more"], [0, 0, 0, 1], 0);

  const [agent, ...otherAgents] = await authority.registry.listAgents({});
  const tasks = await authority.registry.listTasks({});
  checks.equal("the authority has one agent", otherAgents.length, 0);
  checks.equal(
    "of the exported account and user",
    [agent?.accountId, agent?.userId],
    [ACCOUNT, USER],
  );
  checks.equal("the authority has one task for each thread", tasks.length, 2);

  const audited = (await readAudit(auditFile)).filter(({ path }) => path.endsWith("/responses"));
  checks.equal(
    "the gateway saw three requests and verified each",
    audited.map(({ status, code }) => [status, code]),
    [
      [200, undefined],
      [200, undefined],
      [200, undefined],
    ],
  );
  const resumedTask = audited.at(-1)?.task_id ?? "";
  checks.equal(
    "threads have tasks of their own, the resumed thread goes on in its task",
    audited.map(({ task_id }) => task_id),
    [tasks.find(({ taskId }) => taskId !== resumedTask)?.taskId, resumedTask, resumedTask],
  );
  const forwarded = upstream.requests.filter(({ path }) => path.endsWith("/responses"));
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
      authorization: `Bearer ${UPSTREAM_KEY}`,
    })),
  );
  checks.equal(
    "no AgentAssertion reaches the upstream, in any header",
    upstream.requests.filter(({ headers }) => JSON.stringify(headers).includes("AgentAssertion"))
      .length,
    0,
  );
  checks.equal(
    "bodies reach the upstream",
    forwarded.every(({ bodyBytes }) => bodyBytes > 1000),
    true,
  );

  await authority.registry.revokeTask(resumedTask);
  const upstreamBefore = upstream.requests.length;
  const auditedBefore = (await readAudit(auditFile)).length;
  await step("revoked task", ["resume", "--last", "are you still there"], [0, 0, 0, 0], 1);
  const refused = (await readAudit(auditFile)).slice(auditedBefore);
  checks.equal("the gateway refused at least once", refused.length > 0, true);
  checks.equal(
    "with 401 task_revoked each time",
    refused.filter(({ status, code }) => status !== 401 || code !== "task_revoked"),
    [],
  );
  checks.equal("nothing reached the upstream", upstream.requests.length - upstreamBefore, 0);
}

process.exitCode = await main(process.argv[2] ?? "");
