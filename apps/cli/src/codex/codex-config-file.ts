import { join } from "node:path";
import { parseToml } from "../config/config.js";
import type { Run } from "../config/run.js";
import { readTrustedFile } from "../home/trusted-file.js";
import { parseBaseUrl } from "../options/http-url.js";
import { CliError } from "../text/cli-error.js";
import { quoteArgument } from "../text/quote-argument.js";
import type { CodexDestination } from "./codex-generation.js";

const BELOW_AUTHORITY = "/backend-api";

/**
 * Reads from `config.toml` of a Codex home which authority it is for.
 *
 * @throws {CliError} `config_invalid` if the file does not exist, is not TOML, or `chatgpt_base_url` is missing or not a base URL;
 *   `store_denied` if it cannot be read, or if every user may write it
 */
export async function loadCodexDestination(run: Run, codexHome: string): Promise<CodexDestination> {
  const file = join(codexHome, "config.toml");
  const hint = `make a Codex home first: countersign codex export --codex-home ${quoteArgument(codexHome)}`;
  const text = await readTrustedFile(
    file,
    "write",
    (what, cause) =>
      new CliError("store_denied", `${file} ${what}`, {
        cause,
        hint: "make it a file that you own and that only you can write",
      }),
  );
  if (text === undefined) throw new CliError("config_invalid", `${file} does not exist`, { hint });
  const chatgptBaseUrl = parseToml(text, file).chatgpt_base_url;
  if (typeof chatgptBaseUrl !== "string") {
    throw new CliError("config_invalid", `${file}: \`chatgpt_base_url\` names no authority`, {
      hint: `write chatgpt_base_url = "AUTHORITY${BELOW_AUTHORITY}" into it; or ${hint}`,
    });
  }
  const base = parseBaseUrl(run, { url: chatgptBaseUrl, from: `${file}: \`chatgpt_base_url\`` });
  const authority = base.endsWith(BELOW_AUTHORITY) ? base.slice(0, -BELOW_AUTHORITY.length) : base;
  return { authority, chatgptBaseUrl };
}
