// The recipe for GitHub Actions of docs/oidc.md: hundreds of jobs of one repository, each with a token of minutes and a home of its own.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AuthorityError } from "@countersign/agent-identity/authority-client";
import { AgentTaskManager } from "@countersign/agent-task";
import { describe, expect, it, onTestFinished } from "vitest";
import { createOidcIssuer } from "../src/oidc.js";
import { LocalIssuer } from "./local-issuer.js";
import { TestedAuthority } from "./start-authority.js";

const JOBS = 300;
const HOUR_MS = 3_600_000;
const EVERY_MS = HOUR_MS / JOBS;
// A token of GitHub Actions ends after this time.
const TOKEN_SECONDS = 300;
const REPOSITORY = { repository_id: "1001", repository_owner_id: "65" };

interface Job {
  readonly identities: AgentIdentityManager;
  readonly agentRuntimeId: string;
  readonly endsMs: number;
}

/** An authority with the settings that the document shows, and its issuer. */
async function startRecipe() {
  const issuer = await LocalIssuer.start();
  onTestFinished(() => issuer[Symbol.asyncDispose]());
  const github = createOidcIssuer(
    issuer.options({
      name: "github",
      account: "acct-ci",
      user: "repository_id",
      require: { repository_owner_id: "65" },
      agentTtlSeconds: 21_600,
    }),
  );
  const tested = await TestedAuthority.start({ humans: [github] });
  onTestFinished(() => tested[Symbol.asyncDispose]());
  return { tested, issuer };
}

type Recipe = Awaited<ReturnType<typeof startRecipe>>;

/** `countersign login --ephemeral`, and the first signed request of a job. */
async function startJob({ tested, issuer }: Recipe, ephemeralSeconds?: number): Promise<Job> {
  const { clock, url: authority } = tested;
  const now = () => clock.nowMs;
  const issuedAt = Math.floor(clock.nowMs / 1_000);
  const claims = { ...REPOSITORY, iat: issuedAt, exp: issuedAt + TOKEN_SECONDS };
  const identities = new AgentIdentityManager({
    authority,
    auth: fixedAuth({
      kind: "human",
      accountId: "acct-ci",
      userId: "github:1001",
      accessToken: await issuer.token({ claims }),
      ephemeralSeconds,
    }),
    store: memoryStore(),
    now,
  });
  const task = await new AgentTaskManager({ identities, now }).thread("job").ensure();
  const agentRuntimeId = task?.agentRuntimeId ?? expect.unreachable("the job has no task");
  return { identities, agentRuntimeId, endsMs: clock.nowMs + 10 * 60_000 };
}

/** `countersign logout --revoke`: with the agent's key, since the token of the job is over. */
async function endJob({ identities, agentRuntimeId }: Job): Promise<void> {
  const { key } = (await identities.peek()) ?? expect.unreachable("the job has no agent");
  await identities.client.endAgent({ agentRuntimeId, key });
}

async function runJobs(recipe: Recipe, count: number, options: { isKilled(job: number): boolean }) {
  let running: Job[] = [];
  for (let i = 0; i < count; i += 1) {
    const job = await startJob(recipe, 3_600);
    if (!options.isKilled(i)) running.push(job);
    recipe.tested.clock.nowMs += EVERY_MS;
    const over = running.filter(({ endsMs }) => endsMs <= recipe.tested.clock.nowMs);
    for (const each of over) await endJob(each);
    running = running.filter((each) => !over.includes(each));
  }
}

describe("300 jobs of one repository within an hour", () => {
  it("all get an agent and a task, and leave nothing that lives (G-A53)", async () => {
    const recipe = await startRecipe();
    const { registry } = recipe.tested.authority;
    await runJobs(recipe, JOBS, { isKilled: () => false });
    expect(await registry.listTasks()).toHaveLength(JOBS);
    // The last ten minutes' worth of jobs still run.
    expect(await registry.listAgents({ state: "active" })).toHaveLength(JOBS / 6 - 1);
    expect(await registry.listAgents({ state: "revoked" })).toHaveLength(JOBS - JOBS / 6 + 1);
  }, 120_000);

  it("all get them also if every job is killed before its end, and their agents end by themselves (G-A53)", async () => {
    const recipe = await startRecipe();
    const { registry } = recipe.tested.authority;
    await runJobs(recipe, JOBS, { isKilled: () => true });
    expect(await registry.listTasks()).toHaveLength(JOBS);
    recipe.tested.clock.nowMs += HOUR_MS;
    expect(await registry.listAgents({ state: "active" })).toEqual([]);
    expect(await registry.listAgents({ state: "expired" })).toHaveLength(JOBS);
  }, 120_000);

  it("would lock the repository out at job 101 with lasting agents, by a code that says so", async () => {
    const recipe = await startRecipe();
    for (let i = 0; i < 100; i += 1) await startJob(recipe);
    const refused = await startJob(recipe).catch((error: unknown) => error);
    const cause = (refused as Error).cause;
    expect(AuthorityError.is(cause) && [cause.code, cause.status]).toEqual(["agent_limit", 403]);
    // An ephemeral one gets in beside them.
    await startJob(recipe, 3_600);
  }, 60_000);
});

it("the document's recipe logs in with --ephemeral and ends with logout --revoke", async () => {
  const text = await readFile(join(import.meta.dirname, "../../../docs/oidc.md"), "utf8");
  const [, workflow = ""] = /```yaml\n(permissions:.*?)```/s.exec(text) ?? [];
  expect(workflow).toMatch(/countersign login .*--ephemeral/);
  expect(workflow).toMatch(/if: always\(\)\n +run: countersign logout --revoke/);
  expect(text).toMatch(
    /^require = \{ repository_owner_id = "65" \}\nkeep_claims = \[.*"run_id".*\]\nagent_ttl = "6h"$/m,
  );
});
