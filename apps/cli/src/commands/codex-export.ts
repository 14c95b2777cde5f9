import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { openPrivateDirectory, writePrivateFile } from "@countersign/agent-identity/private-file";
import { resolveAuthority } from "../authority-option.js";
import { CliError, usageError } from "../cli-error.js";
import { createCodexAuth, createCodexConfig } from "../codex-home.js";
import { isSystemError, pathOption, reasonOf } from "../home.js";
import { type NamedUrl, parseBaseUrl } from "../http-url.js";
import { checkPrincipals } from "../principal-options.js";
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
  if (options.force !== true) await refuseExisting([files.config, files.auth]);
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
    `wrote ${files.config} and ${files.auth}`,
    `use it: CODEX_HOME=${directory} codex`,
  ]);
}

async function namedGateway(run: Run, option: string | undefined): Promise<NamedUrl> {
  if (option !== undefined) return { url: option, from: "--gateway" };
  const { gateway, file } = await run.config();
  if (gateway === undefined) throw usageError("no gateway is named", "add --gateway URL");
  return { url: gateway, from: `${file}: \`gateway\`` };
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
      hint: "name a new folder, or replace both files with --force",
    });
  }
}
