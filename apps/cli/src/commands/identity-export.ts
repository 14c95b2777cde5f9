import { memoryStore, type StoredIdentity, type StoredLogin } from "@countersign/agent-identity";
import { requireAuthority } from "../authority-option.js";
import { CliError, usageError } from "../cli-error.js";
import {
  type CodexHome,
  isSameOwner,
  loadCodexHome,
  openCodexStore,
  publicLineOf,
} from "../codex-identity.js";
import { openCredentialStore } from "../credential-store-option.js";
import { pathOption } from "../home.js";
import { parseUnsentBaseUrl } from "../http-url.js";
import type { Run } from "../run.js";

/** Options of `identity export`. */
export interface ExportIdentityOptions {
  readonly codexHome: string;
  readonly authority?: string;
}

/** `identity export`: puts the agent of whoever is logged in to Codex into `auth.json`, and touches nothing else in it. */
export async function exportIdentity(run: Run, options: ExportIdentityOptions): Promise<void> {
  const codexHome = pathOption(options.codexHome, "--codex-home");
  const store = await openCredentialStore(run);
  const { login, identities } = await store.load();
  const wanted = await requireAuthority(run, options.authority, login?.authority);
  const authority = parseUnsentBaseUrl(wanted);
  const found = await loadCodexHome(codexHome, authority);
  const owner = requireHuman(found, codexHome);
  const mine = identities.find(
    (entry) => entry.state === "registered" && isSameOwner(entry, owner),
  );
  if (mine === undefined) {
    throw new CliError(
      "no_identity",
      `${owner.user_id} of ${owner.account_id}, who is logged in to Codex, has no agent with ${authority} here`,
      { hint: "log in here as the same user, then: countersign identity ensure" },
    );
  }
  const known = identities.map(publicLineOf);
  if (found.identity !== undefined && !known.includes(publicLineOf(found.identity))) {
    refuseUnknown(found.identity, mine, options);
  }
  await (await openCodexStore(codexHome, authority, store)).update((current) => current);
  await assertExported(codexHome, authority, mine);
  run.output.warn("Codex 0.122 and 0.123 know this form of an agent; a later Codex may refuse it");
  const { account_id, user_id, agent_runtime_id } = mine;
  run.output.result(
    { codex_home: codexHome, authority, account_id, user_id, agent_runtime_id },
    () => `the agent ${agent_runtime_id} of ${user_id} of ${account_id} is in ${codexHome}`,
  );
}

function requireHuman({ login, loginProblem }: CodexHome, codexHome: string): StoredLogin {
  if (login?.kind === "human") return login;
  if (loginProblem !== undefined) {
    throw new CliError(
      "store_corrupt",
      `the login in ${codexHome} cannot be read: ${loginProblem}`,
      {
        hint: "codex login, and then again",
      },
    );
  }
  throw new CliError("not_logged_in", `no human is logged in to Codex in ${codexHome}`, {
    hint: "codex login; or make a home for it: countersign codex export",
  });
}

// Codex has one place for an agent. What stands there is kept here when it is replaced, under an authority that somebody has to name: a key is
// used with the authority it came from and no other (protocol §3).
function refuseUnknown(
  other: StoredIdentity,
  mine: StoredIdentity,
  { codexHome, authority }: ExportIdentityOptions,
): void {
  const { account_id, user_id } = other;
  if (isSameOwner(other, mine)) {
    throw new CliError(
      "invalid_request",
      `Codex has another agent of ${user_id} of ${account_id} in ${codexHome}`,
      {
        hint: "to work with that one here: countersign identity forget, then countersign identity import",
        exitCode: 1,
      },
    );
  }
  if (authority !== undefined) return;
  throw usageError(
    `${codexHome} holds an agent of ${user_id} of ${account_id} that is not known here`,
    "say which authority it is of with --authority URL; it is then kept here and makes room",
  );
}

async function assertExported(
  codexHome: string,
  authority: string,
  mine: StoredIdentity,
): Promise<void> {
  const after = await openCodexStore(codexHome, authority, memoryStore());
  const [identity] = (await after.load()).identities;
  if (identity !== undefined && publicLineOf(identity) === publicLineOf(mine)) return;
  throw new CliError(
    "store_denied",
    `${after.description} holds the agent of a later Codex, which stays`,
    { hint: "give this Codex a home of its own: countersign codex export" },
  );
}
