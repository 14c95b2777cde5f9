import type { Credentials, StoredIdentity } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { CliError } from "../cli-error.js";
import { isSameOwner, loadCodexHome, publicLineOf } from "../codex-identity.js";
import { openCredentialStore } from "../credential-store-option.js";
import { pathOption } from "../home.js";
import { parseUnsentBaseUrl } from "../http-url.js";
import type { Run } from "../run.js";

/** Options of `identity import`. */
export interface ImportIdentityOptions {
  readonly codexHome: string;
  readonly authority: string;
}

/** `identity import`: keeps the agent of a Codex home here too. Nothing is sent, and Codex's files stay as they are. */
export async function importIdentity(run: Run, options: ImportIdentityOptions): Promise<void> {
  const authority = parseUnsentBaseUrl({ url: options.authority, from: "--authority" });
  const codexHome = pathOption(options.codexHome, "--codex-home");
  const { login, identity } = await loadCodexHome(codexHome, authority);
  if (identity === undefined) {
    throw new CliError("no_identity", `${codexHome} holds no agent`, {
      hint:
        login?.kind === "agent"
          ? "Codex works with an identity token there: countersign login --identity-token-stdin"
          : "Codex (0.122, feature on) makes one with its first turn",
    });
  }
  const store = await openCredentialStore(run);
  // In the form that is written here; Codex writes another.
  const private_key = AgentKey.importPkcs8(identity.private_key).exportPkcs8();
  let imported = false;
  await store.update((current) => {
    const next = withImported(current, { ...identity, private_key });
    imported = next !== undefined;
    return next;
  });
  const { account_id, user_id, agent_runtime_id } = identity;
  const value = { authority, account_id, user_id, agent_runtime_id, imported };
  run.output.result(value, () => [
    imported
      ? `imported the agent ${agent_runtime_id} of ${user_id} of ${account_id} with ${authority}`
      : `${agent_runtime_id} is stored already`,
  ]);
}

/** The content with the identity in it; `undefined`: it is there already. A key that is there is never replaced. */
function withImported(current: Credentials, identity: StoredIdentity): Credentials | undefined {
  const mine = current.identities.find((entry) => isSameOwner(entry, identity));
  const broken = current.unreadable?.some(
    ({ member, authority = "", accountId: account_id = "", userId: user_id = "" }) =>
      member === "identities" && isSameOwner({ authority, account_id, user_id }, identity),
  );
  if (mine === undefined && broken !== true) {
    return { ...current, identities: [...current.identities, identity] };
  }
  const isSameKey = mine !== undefined && publicLineOf(mine) === publicLineOf(identity);
  if (isSameKey && mine.agent_runtime_id === identity.agent_runtime_id) return undefined;
  // Its registration was never answered here; Codex knows what came of it.
  if (isSameKey && mine.state === "pending") {
    const others = current.identities.filter((entry) => entry !== mine);
    return { ...current, identities: [...others, identity] };
  }
  const { authority, account_id, user_id } = identity;
  throw new CliError(
    "invalid_request",
    `another agent of ${user_id} of ${account_id} is stored with ${authority}`,
    {
      hint: `countersign identity forget --account ${account_id} --user ${user_id} --authority ${authority}`,
      exitCode: 1,
    },
  );
}
