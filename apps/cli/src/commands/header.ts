import { join } from "node:path";
import { AssertionSigner } from "@countersign/agent-assertion/sign";
import { openPrivateDirectory, writePrivateFile } from "@countersign/agent-identity/private-file";
import { followTasks, openAgentSession, requireFeature, requireLogin } from "../agent-session.js";
import { CliError } from "../cli-error.js";
import { fingerprintOf, HEADER_CACHE_FILE, type HeaderCacheKey } from "../header-cache.js";
import { withProgress } from "../progress.js";
import type { Run } from "../run.js";
import { resolveThread } from "../thread-option.js";

/** Options of `header`. */
export interface HeaderOptions {
  readonly thread?: string;
}

/** `header`: prints the line that `curl -H @-` takes. It is for no origin in particular, so that it is never the human's token. */
export async function header(run: Run, options: HeaderOptions): Promise<void> {
  const scope = resolveThread(options.thread, run.environment);
  const { store } = await run.config();
  const key = { home: run.home, scope, environment: run.environment.variables };
  const before = fingerprintOf(key);
  await using session = await openAgentSession(run);
  await requireLogin(session);
  requireFeature(session);
  const thread = session.tasks.thread(scope);
  const credential = await withProgress(
    run.output,
    `registering a task with ${session.authority}`,
    (progress) => {
      followTasks(run, session, progress);
      return thread.credential({ signal: run.signal });
    },
  );
  if (credential.kind !== "agent") throw new CliError("internal", "the session gave no assertion");
  const signedAt = Math.floor(Date.now() / 1000);
  const line = `Authorization: ${new AssertionSigner().header(credential)}`;
  // Another process cannot know of a clock that was found to be off; only what any of them would sign alike is kept. And only of a file
  // can be seen at once that the login is another one.
  const isKept = credential.clockOffsetSeconds === undefined && store === "file";
  if (isKept) await keep(key, before, signedAt, line);
  print(run, line);
}

function print(run: Run, line: string): void {
  if (/[\r\n]/.test(line)) throw new CliError("internal", "a header with a line break");
  run.output.result({ authorization: line.slice("Authorization: ".length) }, () => line);
}

// Kept only when nothing that it was made from changed meanwhile.
async function keep(
  key: HeaderCacheKey,
  before: string | undefined,
  signedAt: number,
  line: string,
): Promise<void> {
  const fingerprint = fingerprintOf(key);
  if (fingerprint === undefined || fingerprint !== before) return;
  await openPrivateDirectory(key.home);
  const text = JSON.stringify({ fingerprint, signed_at: signedAt, line });
  await writePrivateFile(join(key.home, HEADER_CACHE_FILE), text);
}
