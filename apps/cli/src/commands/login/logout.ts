import { rm } from "node:fs/promises";
import { join } from "node:path";
import { removeLogin } from "@countersign/agent-identity";
import {
  findLoginAgent,
  isEntryOf,
  noLoginAgent,
  revokeLoginAgent,
} from "../../codex/login-agent.js";
import type { Run } from "../../config/run.js";
import { HEADER_FILE } from "../../header/header-decision.js";
import { openCredentialStore } from "../../options/credential-store-option.js";
import { withProgress } from "../../text/progress.js";

/** Options of `logout`. */
export interface LogoutOptions {
  readonly revoke?: boolean;
}

/**
 * `logout`. With `--revoke` the login's agent is ended at the authority and removed here; if that fails, nothing is.
 *
 * @throws {CliError} `not_logged_in` with `--revoke` if the login is an agent's, because only a human's token can revoke an agent
 */
export async function logout(run: Run, { revoke = false }: LogoutOptions): Promise<void> {
  const store = await openCredentialStore(run);
  const credentials = revoke ? await store.load() : undefined;
  // The agent would stay active, and this login cannot revoke it: "logged out" would hide that.
  if (credentials?.login?.kind === "agent") throw noLoginAgent(credentials);
  const own = credentials && findLoginAgent(credentials);
  if (own !== undefined) {
    const { authority } = own.login;
    await withProgress(run.output, `revoking ${own.agentRuntimeId} at ${authority}`, () =>
      revokeLoginAgent(run, own),
    );
    // The agent is revoked, so its key works no longer.
    await store.update((current) => {
      const rest = current.identities.filter((entry) => !isEntryOf(own, entry));
      return { ...current, identities: rest };
    });
  }
  const removed = await removeLogin(store);
  // It would not be used any more; but a login that is gone should leave nothing behind.
  if (removed) await rm(join(run.home, HEADER_FILE), { force: true });
  const revoked = own?.agentRuntimeId ?? null;
  const value = { logged_out: removed, ...(revoke ? { revoked_agent: revoked } : {}) };
  run.output.result(value, () => [
    ...(own === undefined ? [] : [`revoked ${own.agentRuntimeId} at ${own.login.authority}`]),
    removed ? "logged out" : "no login was stored",
  ]);
}
