import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { CredentialStoreError, isFormerKey, publicLineOf } from "@countersign/agent-identity";
import { openPrivateDirectory, writePrivateFile } from "@countersign/agent-identity/private-file";
import { resolveAuthority } from "../authority-option.js";
import { CliError, usageError } from "../cli-error.js";
import { importCommand } from "../codex-copies.js";
import { createCodexAuth, createCodexConfig } from "../codex-home.js";
import { type CodexHome, loadCodexHome } from "../codex-identity.js";
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

/** `codex export`: writes `config.toml` and `auth.json` of a Codex home, each the owner's alone. */
export async function exportCodexHome(run: Run, options: ExportCodexHomeOptions): Promise<void> {
  const { account: accountId, user: userId } = options;
  checkPrincipals([accountId], [userId]);
  const authority = await resolveAuthority(run, options.authority);
  const gateway = parseBaseUrl(run, await namedGateway(run, options.gateway));
  const directory = pathOption(options.codexHome, "--codex-home");
  const files = { config: join(directory, "config.toml"), auth: join(directory, "auth.json") };
  if (options.force === true) await refuseUnknownAgent(run, directory, authority);
  else await refuseExisting([files.config, files.auth]);
  const accessToken = await readAccessToken(
    run.environment,
    options.tokenStdin === true,
    process.stdin,
  );
  await openPrivateDirectory(directory);
  await writePrivateFile(files.config, createCodexConfig({ authority, gateway }));
  await writePrivateFile(
    files.auth,
    createCodexAuth({ accountId, userId, accessToken, now: Date.now() }),
  );
  run.output.result({ codex_home: directory, authority, gateway }, () => [
    `wrote ${escapeText(files.config)} and ${escapeText(files.auth)}`,
    `use it: CODEX_HOME=${escapeText(quoteArgument(directory))} codex`,
  ]);
}

async function namedGateway(run: Run, option: string | undefined): Promise<NamedUrl> {
  if (option !== undefined) return { url: option, from: "--gateway" };
  const { gateway, file } = await run.config();
  if (gateway === undefined) throw usageError("no gateway is named", "add --gateway URL");
  return { url: gateway, from: `${file}: \`gateway\`` };
}

// Codex keeps the agent that it has registered in `auth.json`, and its key nowhere else.
async function refuseUnknownAgent(run: Run, codexHome: string, authority: string): Promise<void> {
  const { login, identity } = await loadForced(codexHome, authority);
  if (login?.kind === "agent") {
    throw new CliError("config_invalid", `${codexHome} holds an identity token`, {
      hint: "name a new folder: the token may be the only copy of its agent's key",
    });
  }
  if (identity === undefined) return;
  const line = publicLineOf(identity) ?? "";
  const { identities } = await (await openCredentialStore(run)).load();
  if (identities.some((entry) => publicLineOf(entry) === line || isFormerKey(entry, line))) return;
  throw new CliError(
    "config_invalid",
    `${codexHome} holds the key of the agent ${identity.agent_runtime_id}, which is not stored here`,
    { hint: `name a new folder, or keep the agent first: ${importCommand(codexHome, authority)}` },
  );
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
      hint: "name a new folder; --force replaces both files, unless an agent's key would be lost",
    });
  }
}
