import { lstat } from "node:fs/promises";
import { join } from "node:path";
import {
  AgentIdentityManager,
  type AuthSource,
  type CredentialStore,
  loginAuth,
  type StoredLogin,
} from "@countersign/agent-identity";
import { AgentTaskManager, type CompleteTaskStore, fileTaskStore } from "@countersign/agent-task";
import type { Run } from "../config/run.js";
import { inspectHome, isSystemError, THREADS_DIRECTORY } from "../home/home.js";
import { namedAuthority } from "../options/authority-option.js";
import { openCredentialStore } from "../options/credential-store-option.js";
import { parseBaseUrl } from "../options/http-url.js";
import { pinnedKeySetOf } from "../options/key-set-option.js";
import { CliError } from "../text/cli-error.js";
import type { Progress } from "../text/progress.js";

/** The client side of one command: this home's login, identities and tasks with one authority. */
export interface AgentSession extends AsyncDisposable {
  readonly authority: string;
  readonly store: CredentialStore;
  readonly auth: AuthSource;
  readonly identities: AgentIdentityManager;
  readonly tasks: AgentTaskManager;
  /** The only origins that its requests may take the human's token to. */
  readonly bearerOrigins: readonly string[];
}

/**
 * Opens the {@link AgentSession} of this home. Only reads: sends no request and writes no file.
 *
 * @param bearerOrigins - as `allowedBearerOrigins` returns them. Default none: the session then never uses the human's token in place of an
 * assertion
 */
export async function openAgentSession(
  run: Run,
  bearerOrigins: readonly string[] = [],
): Promise<AgentSession> {
  const [config, features] = [await run.config(), await run.features()];
  const store = await openCredentialStore(run);
  const login = (await store.load()).login;
  const named = await namedAuthority(run, login?.authority);
  // No authority is named and no login is stored. The login comes first: it names the authority for later commands.
  if (named === undefined) throw notLoggedIn("not logged in", "URL");
  const authority = parseBaseUrl(run, named);
  const keySet = await pinnedKeySetOf(login);
  const auth = loginAuth(store, authority, { ...run.http, keySet });
  const identities = new AgentIdentityManager({
    authority,
    auth,
    store,
    features,
    ...run.asking,
  });
  const tasks = new AgentTaskManager({
    identities,
    store: await openTaskStore(run),
    onFailure: config.on_failure,
    bearerOrigins,
  });
  return {
    authority,
    store,
    auth,
    identities,
    tasks,
    bearerOrigins,
    async [Symbol.asyncDispose]() {
      await tasks.close();
      await identities.close();
    },
  };
}

/** Checks the home and opens the store of its tasks. A list only warns of a file that cannot be read. */
export async function openTaskStore(run: Run): Promise<CompleteTaskStore> {
  await inspectHome(run.home);
  return fileTaskStore(join(run.home, THREADS_DIRECTORY), {
    onUnreadable: (error) => run.output.warn(error.message),
  });
}

/** Returns whether this home has ever stored a task. */
export async function hasTaskStore(run: Run): Promise<boolean> {
  await inspectHome(run.home);
  const stats = await lstat(join(run.home, THREADS_DIRECTORY)).catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  });
  return stats !== undefined;
}

/**
 * Makes sure that the stored login is with the authority of the session.
 *
 * @returns the login
 * @throws {CliError} `not_logged_in`
 */
export async function requireLogin(session: AgentSession): Promise<StoredLogin> {
  const { login, unreadable = [] } = await session.store.load();
  if (login?.authority === session.authority) return login;
  // Throws with the reason why the login cannot be read.
  if (unreadable.some(({ member }) => member === "login")) await session.identities.auth();
  const what =
    login === null
      ? "not logged in"
      : `the login is with ${login.authority}, not with ${session.authority}`;
  throw notLoggedIn(what, session.authority);
}

function notLoggedIn(what: string, authority: string): CliError {
  return new CliError("not_logged_in", what, {
    hint: `countersign login --authority ${authority} --token-stdin`,
  });
}

const ENABLE = "countersign features enable use_agent_identity, or add --enable use_agent_identity";

/**
 * Makes sure that the feature `use_agent_identity` is on.
 *
 * @throws {CliError} `no_identity` if it is off
 */
export function requireFeature(session: AgentSession): void {
  if (!session.identities.enabled) throw featureOff(ENABLE);
}

/**
 * Makes sure that a request to an origin gets a credential: an assertion, or with the feature off the human's token.
 *
 * @throws {CliError} `no_identity` if the feature is off and the human's token may not go to the origin
 */
export function requireCredentialFor(session: AgentSession, origin: string): void {
  if (session.identities.enabled || session.bearerOrigins.includes(origin)) return;
  throw featureOff(
    `${ENABLE}; or let the human's token go there: add --bearer-origin ${origin}, or list it in config.toml: bearer_origins = ["${origin}"]`,
  );
}

function featureOff(hint: string): CliError {
  return new CliError("no_identity", "the feature use_agent_identity is off: nothing is signed", {
    hint,
  });
}

/**
 * Shows the progress of a task's registration, and warns on stderr if a thread goes on with the human's token.
 *
 * @param next - the state that is shown after the registration. Default: none
 */
export function followTasks(
  run: Run,
  { authority, tasks }: AgentSession,
  progress: Progress,
  next?: string,
): void {
  tasks.on("registering", () => progress.show(`registering a task with ${authority}`));
  tasks.on("waiting", ({ elapsedMs }) => progress.waited(elapsedMs));
  tasks.on("retrying", ({ code }) => progress.show(`asking ${authority} again (${code})`));
  const goOn = () => {
    if (next !== undefined) progress.show(next);
  };
  tasks.on("registered", goOn);
  tasks.on("reused", goOn);
  tasks.on("fallback", ({ scope, error, origins }) => {
    // The event comes once for each thread.
    run.output.warn(
      `no task for the thread ${String(scope)} (${error.code}): it goes on with the human's token, for ${origins.join(", ")} alone`,
    );
    goOn();
  });
}
