import { AgentIdentityError, type StoredLogin } from "@countersign/agent-identity";
import { escapeText } from "@countersign/agent-key/escaping";
import type { Run } from "../config/run.js";
import { namedAuthority } from "../options/authority-option.js";
import { openCredentialStore } from "../options/credential-store-option.js";
import { resolveThread } from "../options/thread-option.js";
import { openAgentSession } from "../session/agent-session.js";
import { formatColumns } from "../text/output.js";
import { describeIdentity } from "./identity/identity.js";
import { describeTask } from "./task.js";

/** `status`: reads the home and nothing else. */
export async function status(run: Run, options: { readonly thread?: string }): Promise<void> {
  const scope = resolveThread(options.thread, run.environment);
  const config = await run.config();
  const features = await run.features();
  const store = await openCredentialStore(run);
  const { login, unreadable = [] } = await store.load();
  for (const { member, problem } of unreadable) {
    run.output.warn(`${store.description}: a member of ${member} cannot be read: ${problem}`);
  }
  const authority = await namedAuthority(run, login?.authority);
  const found = { identity: null, task: null, authority: null };
  const { identity, task, ...rest } = authority === undefined ? found : await look(run, scope);
  const feature = features.list().find(({ key }) => key === "use_agent_identity");
  const value = {
    home: run.home,
    authority: rest.authority,
    store: config.store,
    login: login === null ? null : describeLogin(login),
    use_agent_identity: feature?.enabled === true,
    identity,
    scope,
    task,
  };
  run.output.result(value, () =>
    formatColumns([
      ["home", escapeText(run.home)],
      ["authority", escapeText(rest.authority ?? "none")],
      ["store", store.description],
      ["login", login === null ? "none" : formatLogin(login)],
      [
        "use_agent_identity",
        `${value.use_agent_identity ? "on" : "off"} (${feature?.from ?? "default"})`,
      ],
      ["agent", identity === null ? "none" : identity.agent_runtime_id],
      [`task of ${escapeText(scope)}`, task === null ? "none" : task.task_id],
    ]),
  );
}

function describeLogin(login: StoredLogin) {
  const { authority, account_id, user_id, kind, logged_in_at } = login;
  const common = { authority, account_id, user_id, kind };
  return kind === "human"
    ? { ...common, proof: login.proof, logged_in_at }
    : { ...common, logged_in_at };
}

function formatLogin(login: StoredLogin): string {
  const how = login.kind === "human" ? login.proof : "identity JWT";
  return `${login.user_id} of ${login.account_id} (${how})`;
}

async function look(run: Run, scope: string) {
  await using session = await openAgentSession(run);
  try {
    const identity = await session.identities.peek();
    const task = await session.tasks.peek(scope);
    return {
      authority: session.authority,
      identity: identity === undefined ? null : describeIdentity(identity),
      task: task === undefined ? null : describeTask(task),
    };
  } catch (error) {
    // An identity JWT that has ended, for instance: it is the state that was asked for.
    if (!AgentIdentityError.is(error)) throw error;
    run.output.warn(`${error.message} (${error.code})`);
    return { authority: session.authority, identity: null, task: null };
  }
}
