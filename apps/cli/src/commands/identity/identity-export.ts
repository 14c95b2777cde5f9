import {
  type CredentialStore,
  memoryStore,
  publicLineOf,
  type StoredIdentity,
  type StoredLogin,
} from "@countersign/agent-identity";
import { escapeText } from "@countersign/agent-key/escaping";
import { changedMeanwhile, importCommand, noteCopy } from "../../codex/codex-copies.js";
import {
  type CodexHome,
  isSameOwner,
  loadCodexHome,
  type Owner,
  openCodexStore,
} from "../../codex/codex-identity.js";
import { type CodexProgramOptions, findCodexForm } from "../../codex/codex-program.js";
import {
  findNewestKey,
  isOtherKey,
  type KeyPair,
  keyElsewhere,
  unknownKey,
  unreadableKey,
} from "../../codex/newest-key.js";
import type { Run } from "../../config/run.js";
import { pathOption } from "../../home/home.js";
import { requireAuthority } from "../../options/authority-option.js";
import { openCredentialStore } from "../../options/credential-store-option.js";
import { parseUnsentBaseUrl } from "../../options/http-url.js";
import { CliError, usageError } from "../../text/cli-error.js";

/** Options of `identity export`. */
export interface ExportIdentityOptions extends CodexProgramOptions {
  readonly codexHome: string;
  readonly authority?: string;
}

/**
 * `identity export`: puts an agent into `auth.json` of a Codex home, in the form that this Codex reads, and touches nothing else in it. It is the
 * agent of the human who is logged in there; without one, Codex 0.150 and newer works as this home's agent alone.
 */
export async function exportIdentity(run: Run, options: ExportIdentityOptions): Promise<void> {
  const codexHome = pathOption(options.codexHome, "--codex-home");
  const store = await openCredentialStore(run);
  const { login, identities } = await store.load();
  const wanted = await requireAuthority(run, options.authority, login?.authority);
  const authority = parseUnsentBaseUrl(wanted);
  const found = await loadCodexHome(codexHome, authority);
  const form = await findForm(run, options, codexHome);
  const owner =
    form === "C" && isNobody(found)
      ? requireOwner(found, login, authority)
      : requireHuman(found, codexHome, authority);
  const mine = identities.find(
    (entry) => entry.state === "registered" && isSameOwner(entry, owner),
  );
  if (mine === undefined) {
    throw new CliError(
      "no_identity",
      `${owner.user_id} of ${owner.account_id} has no agent with ${authority} here`,
      { hint: "log in here as the same user, then: countersign identity ensure" },
    );
  }
  if (mine.private_key === undefined) throw keyElsewhere(mine);
  if (publicLineOf(mine) === undefined) throw unreadableKey(store.description);
  const other = found.identity;
  if (other !== undefined && isOtherKey({ stored: mine, other })) {
    await requireNewest(run, { store, login, codexHome }, { stored: mine, other });
  } else if (other !== undefined && !identities.map(publicLineOf).includes(publicLineOf(other))) {
    refuseUnknown(other, mine, { codexHome, authority, isNamed: options.authority !== undefined });
  }
  // Before the key is there: a copy that is noted and was never made does no harm, the other way round a rotation would not warn of it.
  await noteCopy(store, mine, { codexHome });
  if (isNobody(found) && form === "C") await saveAlone(run, codexHome, mine);
  else await (await openCodexStore(codexHome, authority, store, form)).update((now) => now);
  await assertExported(codexHome, authority, mine);
  const { account_id, user_id, agent_runtime_id } = mine;
  run.output.result(
    { codex_home: codexHome, authority, account_id, user_id, agent_runtime_id, generation: form },
    () =>
      `the agent ${agent_runtime_id} of ${user_id} of ${account_id} is in ${escapeText(codexHome)}, ${READERS[form]}`,
  );
}

const READERS = { A: "for Codex 0.122 and 0.123", C: "for Codex 0.150 and newer" } as const;

async function findForm(
  run: Run,
  options: ExportIdentityOptions,
  codexHome: string,
): Promise<"A" | "C"> {
  const { loadCodexAgent } = await import("@countersign/codex-home");
  const agent = await loadCodexAgent(codexHome);
  const { environment, signal } = run;
  return await findCodexForm(options, { env: environment.variables, signal }, agent?.generation);
}

function isNobody({ login, loginProblem }: CodexHome): boolean {
  return login === null && loginProblem === undefined;
}

function requireOwner(found: CodexHome, login: StoredLogin | null, authority: string): Owner {
  if (found.identity !== undefined) return found.identity;
  if (login?.authority === authority) return login;
  throw new CliError("not_logged_in", `not logged in with ${authority}, here or in Codex`, {
    hint: `countersign login --authority ${authority}, then countersign identity ensure`,
  });
}

// Codex then needs no human's token: it signs as this agent, and the file holds no other identity.
async function saveAlone(run: Run, codexHome: string, mine: StoredIdentity): Promise<void> {
  const { saveCodexAgent } = await import("@countersign/codex-home");
  if (await saveCodexAgent(codexHome, mine, { signal: run.signal })) return;
  throw new CliError(
    "not_logged_in",
    `no human is logged in to Codex in ${codexHome}, and its auth.json holds something else`,
    { hint: "codex login; or make a new home for it: countersign codex export" },
  );
}

function requireHuman(found: CodexHome, codexHome: string, authority: string): StoredLogin {
  const { login, loginProblem, identity } = found;
  if (login?.kind === "human") return login;
  // A login to Codex replaces `auth.json`.
  const keep = identity === undefined ? "" : `${importCommand(codexHome, authority)}, then `;
  if (loginProblem !== undefined) {
    throw new CliError(
      "store_corrupt",
      `the login in ${codexHome} cannot be read: ${loginProblem}`,
      { hint: `${keep}codex login, and then again` },
    );
  }
  throw new CliError("not_logged_in", `no human is logged in to Codex in ${codexHome}`, {
    hint: `${keep}codex login; or make a new home for it: countersign codex export`,
  });
}

// The other key may be the agent's only live one: rotated in another home, and exported from there.
async function requireNewest(
  run: Run,
  {
    codexHome,
    ...known
  }: {
    readonly store: CredentialStore;
    readonly login: StoredLogin | null;
    readonly codexHome: string;
  },
  pair: KeyPair,
): Promise<void> {
  const newest = await findNewestKey(run, known, pair);
  if (newest === "stored") return;
  if (newest === "neither") throw unknownKey(codexHome, pair);
  const { agent_runtime_id, authority } = pair.stored;
  throw new CliError(
    "invalid_request",
    `${codexHome} holds a newer key of the agent ${agent_runtime_id} than this home`,
    { hint: importCommand(codexHome, authority), exitCode: 1 },
  );
}

// Codex has one place for an agent. Before another agent replaces it, it is kept here under its authority, which the caller must name: a key is
// used only with the authority that it came from (protocol §4).
function refuseUnknown(
  other: StoredIdentity,
  mine: StoredIdentity,
  {
    codexHome,
    authority,
    isNamed,
  }: { readonly codexHome: string; readonly authority: string; readonly isNamed: boolean },
): void {
  const { account_id, user_id, agent_runtime_id } = other;
  if (isSameOwner(other, mine)) {
    throw new CliError(
      "invalid_request",
      `Codex has another agent of ${user_id} of ${account_id} in ${codexHome}: ${agent_runtime_id}`,
      {
        hint: `give Codex a new home (countersign codex export); or keep that agent in a new home of this command: COUNTERSIGN_HOME=FOLDER ${importCommand(codexHome, authority)}`,
        exitCode: 1,
      },
    );
  }
  if (isNamed) return;
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
  if (identity !== undefined && isOtherKey({ stored: mine, other: identity })) {
    throw changedMeanwhile(after.description);
  }
  throw new CliError("store_denied", `${after.description} holds another agent, which stays`, {
    hint: "give this Codex a home of its own: countersign codex export",
  });
}
