import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { isFormerKey, publicLineOf, type StoredIdentity } from "@countersign/agent-identity";
import { escapeText } from "@countersign/agent-key/escaping";
import type { CodexAgent, CodexLoginRenewal } from "@countersign/codex-home";
import { openPrivateDirectory, readPrivateFile, writePrivateFile } from "@countersign/private-file";
import { loadCodexDestination } from "../../codex/codex-config-file.js";
import { exportCommand, importCommand } from "../../codex/codex-copies.js";
import { createCodexAuth, createCodexConfig, createCodexEnv } from "../../codex/codex-home.js";
import { isSameOwner, type Owner, unreadableAgent } from "../../codex/codex-identity.js";
import type { Run } from "../../config/run.js";
import { isSystemError, pathOption, reasonOf } from "../../home/home.js";
import { readAccessToken } from "../../home/secrets.js";
import { resolveAuthority } from "../../options/authority-option.js";
import { openCredentialStore } from "../../options/credential-store-option.js";
import { type NamedUrl, parseBaseUrl } from "../../options/http-url.js";
import { checkPrincipals } from "../../options/principal-options.js";
import { CliError, usageError } from "../../text/cli-error.js";
import { quoteArgument } from "../../text/quote-argument.js";

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

/**
 * `codex export`: writes `config.toml`, `auth.json` and `env` of a Codex home, each the owner's alone. No state in between has an old login beside a
 * new destination, or a new login beside an old one.
 */
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
  // First: what stands in the home is decided when nothing is waited for any more.
  const accessToken = await readAccessToken(
    run.environment,
    options.tokenStdin === true,
    process.stdin,
  );
  const isForced = options.force === true;
  if (!isForced) await refuseExisting(Object.values(files));
  const destination = [
    { file: files.config, text: createCodexConfig({ authority, gateway }) },
    { file: files.env, text: createCodexEnv(directory, authority) },
  ];
  const { renewCodexLogin } = await import("@countersign/codex-home");
  const renewal: CodexLoginRenewal = {
    login: createCodexAuth({ accountId, userId, accessToken, now: Date.now() }),
    async decide(found) {
      if (!isForced && found !== undefined) throw existsAlready(files.auth);
      const keepsAgent = await decideAgent(run, { codexHome: directory, owner }, found?.agent);
      await openPrivateDirectory(directory);
      const isSame = await isWritten(destination);
      return {
        keepsAgent,
        moveDestination: isSame ? undefined : () => writeDestination(destination, isForced),
      };
    },
  };
  await renewCodexLogin(directory, renewal, { signal: run.signal });
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

interface DestinationFile {
  readonly file: string;
  readonly text: string;
}

// Also finds what could not be replaced, before the old login goes.
async function isWritten(destination: readonly DestinationFile[]): Promise<boolean> {
  const found = await Promise.all(destination.map(({ file }) => readPrivateFile(file)));
  return destination.every(({ text }, at) => found[at]?.text === text);
}

async function writeDestination(
  destination: readonly DestinationFile[],
  isForced: boolean,
): Promise<void> {
  for (const { file, text } of destination) {
    const options = isForced ? {} : { expectedGeneration: undefined };
    if (!(await writePrivateFile(file, text, options))) throw existsAlready(file);
  }
}

/**
 * Decides what becomes of an agent in `auth.json`: Codex keeps it there, and its key nowhere else.
 *
 * @returns whether it stays: it is of the same user with the same authority
 * @throws {CliError} if it is another one whose key is not stored here
 */
async function decideAgent(
  run: Run,
  { codexHome, owner }: { readonly codexHome: string; readonly owner: Owner },
  agent: CodexAgent | undefined,
): Promise<boolean> {
  if (agent === undefined) return false;
  if (agent.generation === "B") {
    throw new CliError("config_invalid", `${codexHome} holds an identity JWT`, {
      hint: "name a new folder: the token may be the only copy of its agent's key",
    });
  }
  const identity: StoredIdentity = {
    authority: owner.authority,
    account_id: agent.accountId,
    user_id: agent.userId,
    agent_runtime_id: agent.agentRuntimeId,
    private_key: agent.privateKey,
    state: "registered",
  };
  const line = publicLineOf(identity);
  if (line === undefined) {
    throw unreadableAgent(join(codexHome, "auth.json"), "its private key is not valid");
  }
  const { identities } = await (await openCredentialStore(run)).load();
  const stored = identities.find(
    (entry) => publicLineOf(entry) === line || isFormerKey(entry, line),
  );
  // `auth.json` has no URL. The agent's authority is the one that it is stored with here, otherwise the one in the configuration of Codex.
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

async function refuseExisting(files: readonly string[]): Promise<void> {
  for (const file of files) {
    try {
      await lstat(file);
    } catch (error) {
      if (isSystemError(error, "ENOENT")) continue;
      throw new CliError("config_invalid", `${file}: ${reasonOf(error)}`, { cause: error });
    }
    throw existsAlready(file);
  }
}

function existsAlready(file: string): CliError {
  return new CliError("config_invalid", `${file} exists already`, {
    hint: "name a new folder; --force replaces these files, unless an agent's key would be lost",
  });
}
