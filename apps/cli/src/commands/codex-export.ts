import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { CredentialStoreError, isFormerKey, publicLineOf } from "@countersign/agent-identity";
import { openPrivateDirectory, writePrivateFile } from "@countersign/agent-identity/private-file";
import { resolveAuthority } from "../authority-option.js";
import { CliError, usageError } from "../cli-error.js";
import { loadCodexDestination } from "../codex-config-file.js";
import { exportCommand, importCommand } from "../codex-copies.js";
import { createCodexAuth, createCodexConfig, createCodexEnv } from "../codex-home.js";
import { type CodexHome, isSameOwner, loadCodexHome, type Owner } from "../codex-identity.js";
import { openCredentialStore } from "../credential-store-option.js";
import { escapeText } from "../escape-text.js";
import { isSystemError, pathOption, reasonOf } from "../home.js";
import { type NamedUrl, parseBaseUrl } from "../http-url.js";
import { checkPrincipals } from "../principal-options.js";
import { quoteArgument } from "../quote-argument.js";
import type { Run } from "../run.js";
import { readAccessToken } from "../secrets.js";

/** Options of `codex export`. */
export interface ExportCodexHomeOptions {
  readonly codexHome: string;
  readonly authority?: string;
  readonly gateway?: string;
  readonly account: string;
  readonly user: string;
  readonly tokenStdin?: boolean;
  readonly force?: boolean;
}

/** `codex export`: writes `config.toml`, `auth.json` and `env` of a Codex home, each the owner's alone. */
export async function exportCodexHome(run: Run, options: ExportCodexHomeOptions): Promise<void> {
  const { account: accountId, user: userId } = options;
  checkPrincipals([accountId], [userId]);
  const authority = await resolveAuthority(run, options.authority);
  const gateway = parseBaseUrl(run, await namedGateway(run, options.gateway));
  const directory = pathOption(options.codexHome, "--codex-home");
  const files = {
    config: join(directory, "config.toml"),
    auth: join(directory, "auth.json"),
    env: join(directory, "env"),
  };
  const owner = { authority, account_id: accountId, user_id: userId };
  let keepsAgent = false;
  if (options.force === true) keepsAgent = await decideAgent(run, directory, owner);
  else await refuseExisting(Object.values(files));
  const accessToken = await readAccessToken(
    run.environment,
    options.tokenStdin === true,
    process.stdin,
  );
  await openPrivateDirectory(directory);
  await writePrivateFile(files.config, createCodexConfig({ authority, gateway }));
  await writePrivateFile(files.env, createCodexEnv(directory, authority));
  const auth = createCodexAuth({ accountId, userId, accessToken, now: Date.now() });
  const { renewCodexLogin } = await import("@countersign/agent-identity/codex-auth");
  const isRenewed = keepsAgent && (await renewCodexLogin(directory, auth, { signal: run.signal }));
  if (!isRenewed) await writePrivateFile(files.auth, auth);
  run.output.result({ codex_home: directory, authority, gateway }, () => [
    `wrote ${Object.values(files).map(escapeText).join(", ")}`,
    `use it: countersign codex run --codex-home ${escapeText(quoteArgument(directory))} --`,
  ]);
}

async function namedGateway(run: Run, option: string | undefined): Promise<NamedUrl> {
  if (option !== undefined) return { url: option, from: "--gateway" };
  const { gateway, file } = await run.config();
  if (gateway === undefined) throw usageError("no gateway is named", "add --gateway URL");
  return { url: gateway, from: `${file}: \`gateway\`` };
}

/**
 * Decides what becomes of an agent in `auth.json`: Codex keeps it there, and its key nowhere else.
 *
 * @returns whether it stays: it is of the same user with the same authority
 * @throws {CliError} if it is another one whose key is not stored here
 */
async function decideAgent(run: Run, codexHome: string, owner: Owner): Promise<boolean> {
  const { login, identity } = await loadForced(codexHome, owner.authority);
  if (login?.kind === "agent") {
    throw new CliError("config_invalid", `${codexHome} holds an identity token`, {
      hint: "name a new folder: the token may be the only copy of its agent's key",
    });
  }
  if (identity === undefined) return false;
  const line = publicLineOf(identity) ?? "";
  const { identities } = await (await openCredentialStore(run)).load();
  const stored = identities.find(
    (entry) => publicLineOf(entry) === line || isFormerKey(entry, line),
  );
  // No URL is in `auth.json`: the agent is of the authority that it is stored with here, else of the one that Codex was configured for.
  const authority = stored?.authority ?? (await configuredAuthority(run, codexHome));
  if (isSameOwner({ ...identity, authority: authority ?? "" }, owner)) {
    if (stored !== undefined && publicLineOf(stored) !== line) {
      run.output.warn(
        `${codexHome} holds a former key of its agent; run: ${exportCommand(codexHome, owner.authority)}`,
      );
    }
    return true;
  }
  if (stored !== undefined) return false;
  throw new CliError(
    "config_invalid",
    `${codexHome} holds the key of the agent ${identity.agent_runtime_id}, which is not stored here`,
    {
      hint: `name a new folder, or keep the agent first: ${importCommand(codexHome, authority ?? owner.authority)}`,
    },
  );
}

async function configuredAuthority(run: Run, codexHome: string): Promise<string | undefined> {
  try {
    return (await loadCodexDestination(run, codexHome)).authority;
  } catch (error) {
    // It is about to be replaced; that it names no authority says nothing against that.
    if (CliError.is(error)) return undefined;
    throw error;
  }
}

async function loadForced(codexHome: string, authority: string): Promise<Partial<CodexHome>> {
  try {
    return await loadCodexHome(codexHome, authority);
  } catch (error) {
    // Not JSON: there is no agent in it that could be kept.
    if (CredentialStoreError.is(error) && error.code === "store_corrupt") return {};
    throw error;
  }
}

async function refuseExisting(files: readonly string[]): Promise<void> {
  for (const file of files) {
    try {
      await lstat(file);
    } catch (error) {
      if (isSystemError(error, "ENOENT")) continue;
      throw new CliError("config_invalid", `${file}: ${reasonOf(error)}`, { cause: error });
    }
    throw new CliError("config_invalid", `${file} exists already`, {
      hint: "name a new folder; --force replaces these files, unless an agent's key would be lost",
    });
  }
}
