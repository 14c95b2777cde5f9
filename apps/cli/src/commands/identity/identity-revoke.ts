import {
  findLoginAgent,
  isEntryOf,
  noLoginAgent,
  revokeLoginAgent,
} from "../../codex/login-agent.js";
import type { Run } from "../../config/run.js";
import { openCredentialStore } from "../../options/credential-store-option.js";
import { withProgress } from "../../text/progress.js";

/** `identity revoke`: ends the login's agent at the authority. It stays stored, so that nothing takes its place by itself. */
export async function revokeIdentity(run: Run): Promise<void> {
  const store = await openCredentialStore(run);
  const credentials = await store.load();
  const own = findLoginAgent(credentials);
  if (own === undefined) throw noLoginAgent(credentials);
  const { authority, account_id, user_id } = own.login;
  const agent_runtime_id = own.agentRuntimeId;
  await withProgress(run.output, `revoking ${agent_runtime_id} at ${authority}`, () =>
    revokeLoginAgent(run, own),
  );
  // Where the authority's directory takes a token, `identity forget` knows it by this alone.
  await store.update((current) => {
    const identities = current.identities.map((entry) =>
      isEntryOf(own, entry) ? { ...entry, revoked: true } : entry,
    );
    return { ...current, identities };
  });
  const value = { authority, account_id, user_id, agent_runtime_id, agent_state: "revoked" };
  run.output.result(value, () => [
    `revoked ${agent_runtime_id} of ${user_id} of ${account_id} at ${authority}`,
    "to work with a new one: countersign identity forget",
  ]);
}
