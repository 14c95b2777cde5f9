import type { Whoami } from "@countersign/agent-identity/authority-client";
import { escapeText } from "@countersign/agent-key/escaping";
import type { AgentTask } from "@countersign/agent-task";
import type { Run } from "../config/run.js";
import { checkEcho, checkFeature, checkIdentity, checkTask } from "../doctor/check-agent.js";
import {
  type AuthorityAnswer,
  askAuthority,
  askWhoami,
  checkAuthority,
  checkClock,
  checkLimits,
  checkToken,
} from "../doctor/check-authority.js";
import { checkHome, checkPermissions, checkStore } from "../doctor/check-home.js";
import { checkCodexHomes, checkKey } from "../doctor/check-key.js";
import { check, type Finding, ok, type Verdict } from "../doctor/finding.js";
import { openCredentialStore } from "../options/credential-store-option.js";
import { resolveThread } from "../options/thread-option.js";
import { type AgentSession, openAgentSession, requireLogin } from "../session/agent-session.js";
import { formatColumns } from "../text/output.js";
import { withProgress } from "../text/progress.js";

/** Options of `doctor`. */
export interface DoctorOptions {
  readonly thread?: string;
}

/** Does one check and keeps its finding, unless there is nothing to check. Returns `false` only if the check failed. */
type Look = (name: string, work: () => Promise<Verdict | undefined>) => Promise<boolean>;

const COLOURS = { ok: "green", warn: "yellow", fail: "red" } as const;

/** `doctor`: checks everything that a signed request needs. Changes and registers nothing. Exit code 1 if a check fails. */
export async function doctor(run: Run, options: DoctorOptions): Promise<number> {
  const scope = resolveThread(options.thread, run.environment);
  const findings: Finding[] = [];
  const look: Look = async (name, work) => {
    const finding = await check(run, name, work);
    if (finding === undefined) return true;
    findings.push(finding);
    return finding.state !== "fail";
  };
  await withProgress(run.output, "looking at this machine", async (progress) => {
    if (!(await lookAtHome(run, look))) return;
    let session: AgentSession | undefined;
    const login = async () => {
      session = await openAgentSession(run);
      const { user_id, account_id } = await requireLogin(session);
      return ok(`${user_id} of ${account_id}`);
    };
    const isLoggedIn = await look("login", login);
    if (session === undefined) return;
    await using client: AgentSession = session;
    progress.show(`asking ${client.authority}`);
    const isReachable = await lookAtAuthority(run, client.authority, look);
    await look("feature", async () => checkFeature(client));
    if (!isLoggedIn) return;
    if (isReachable) await lookAtToken(run, client, look);
    // No agent and no task is used then, whatever is stored.
    if (!client.identities.enabled) return;
    if (!(await look("identity", () => checkIdentity(client)))) return;
    if (isReachable) await look("key", () => checkKey(run, client));
    await look("codex", () => checkCodexHomes(client));
    let task: AgentTask | undefined;
    await look("task", async () => {
      task = await client.tasks.peek(scope);
      return checkTask(scope, task);
    });
    const found = task;
    if (isReachable && found !== undefined) await look("echo", () => checkEcho(run, found));
  });
  const failed = findings.some(({ state }) => state === "fail");
  run.output.result({ ok: !failed, checks: findings }, () => format(run, findings));
  return failed ? 1 : 0;
}

/** @returns whether there is anything to go on with */
async function lookAtHome(run: Run, look: Look): Promise<boolean> {
  if (!(await look("home", () => checkHome(run)))) return false;
  // Before a store is opened, which tightens what is open.
  await look("permissions", () => checkPermissions(run));
  const configuration = async () => {
    const { file } = await run.config();
    await run.features();
    return ok(file);
  };
  if (!(await look("configuration", configuration))) return false;
  return await look("store", async () => checkStore(await openCredentialStore(run)));
}

/** @returns whether the authority answered */
async function lookAtAuthority(run: Run, authority: string, look: Look): Promise<boolean> {
  let received: AuthorityAnswer | undefined;
  await look("authority", async () => {
    received = await askAuthority(run, authority);
    return checkAuthority(authority, received);
  });
  const answer = received;
  if (answer === undefined) return false;
  if (answer.problem === undefined) await look("clock", async () => checkClock(answer));
  return true;
}

async function lookAtToken(run: Run, client: AgentSession, look: Look): Promise<void> {
  let named: Whoami | undefined;
  await look("token", async () => {
    const login = await requireLogin(client);
    // What cannot be read is the finding of another check.
    const identity = await client.identities.peek().catch(() => undefined);
    named = await askWhoami(run, login, identity?.agentRuntimeId);
    return checkToken(login, named);
  });
  const known = named;
  if (known !== undefined) await look("limits", async () => checkLimits(known));
}

function format(run: Run, findings: readonly Finding[]): readonly string[] {
  const lines = formatColumns(
    findings.map(({ name, state, message }) => [
      run.output.style(COLOURS[state], state),
      name,
      escapeText(message),
    ]),
  );
  return findings.flatMap(({ remedy }, index) => [
    lines[index] ?? "",
    ...(remedy === undefined ? [] : [`      ${escapeText(remedy)}`]),
  ]);
}
