import { join } from "node:path";
import { AssertionSigner } from "@countersign/agent-assertion/sign";
import { headerAsync } from "@countersign/agent-assertion/sign-async";
import type { AgentTask } from "@countersign/agent-task";
import { openPrivateDirectory, writePrivateFile } from "@countersign/private-file";
import type { Run } from "../config/run.js";
import {
  HEADER_FILE,
  type HeaderContext,
  stateOf,
  withDecision,
} from "../header/header-decision.js";
import { resolveThread, resolveThreadLabel } from "../options/thread-option.js";
import {
  followTasks,
  openAgentSession,
  requireFeature,
  requireLogin,
} from "../session/agent-session.js";
import { CliError } from "../text/cli-error.js";
import { withProgress } from "../text/progress.js";
import { readVersion } from "../version.js";

// A task manager replaces a task at most this long before its end, which is its default.
const RENEW_BEFORE_MS = 60_000;

/** Options of `header`. */
export interface HeaderOptions {
  readonly thread?: string;
  readonly threadLabel?: string;
}

/** `header`: prints the line that `curl -H @-` takes. It is for no origin in particular, so that it is never the human's token. */
export async function header(run: Run, options: HeaderOptions): Promise<void> {
  const scope = resolveThread(options.thread, run.environment);
  const label = resolveThreadLabel(options.threadLabel);
  const { home, environment } = run;
  const context = { home, scope, environment: environment.variables, version: readVersion() };
  const before = stateOf(context)?.fingerprint;
  await using session = await openAgentSession(run);
  const { kind } = await requireLogin(session);
  requireFeature(session);
  const { credential, task } = await withProgress(
    run.output,
    `registering a task with ${session.authority}`,
    (progress) => {
      followTasks(run, session, progress);
      const thread = session.tasks.thread(scope, { label });
      return thread.run(async (turn) => turn, { signal: run.signal });
    },
  );
  if (credential.kind !== "agent") throw new CliError("internal", "the session gave no assertion");
  const line = `Authorization: ${await headerAsync(new AssertionSigner(), credential)}`;
  // What another process may repeat: the login does not end by itself, is seen in a file, and no clock was found to be off.
  const isRepeatable =
    kind === "human" && credential.clockOffsetSeconds === undefined && (await isInFile(run));
  if (isRepeatable && task !== undefined) await keepDecision(context, before, task);
  print(run, line);
}

async function isInFile(run: Run): Promise<boolean> {
  return (await run.config()).store === "file";
}

function print(run: Run, line: string): void {
  if (/[\r\n]/.test(line)) throw new CliError("internal", "a header with a line break");
  run.output.result({ authorization: line.slice("Authorization: ".length) }, () => line);
}

// Kept only if nothing that it was made from changed while it was made.
async function keepDecision(
  context: HeaderContext,
  before: string | undefined,
  { authority, agentRuntimeId, taskId, key, expiresAt }: AgentTask,
): Promise<void> {
  const state = stateOf(context);
  if (state === undefined || state.fingerprint !== before) return;
  const { home } = context;
  await openPrivateDirectory(home);
  const text = withDecision(home, state, {
    authority,
    agent_runtime_id: agentRuntimeId,
    task_id: taskId,
    public_key: key.publicKey.line,
    until: expiresAt === undefined ? undefined : expiresAt - RENEW_BEFORE_MS,
  });
  await writePrivateFile(join(home, HEADER_FILE), text);
}
