import type { Run } from "../config/run.js";
import { CliError } from "../text/cli-error.js";
import { type NamedUrl, parseBaseUrl } from "./http-url.js";

/**
 * Returns the authority that a command works with: from `--authority`, otherwise `COUNTERSIGN_AUTHORITY`, otherwise the configuration,
 * otherwise the stored login.
 *
 * @param ofLogin - the authority of the stored login
 * @returns the normalised base URL
 * @throws {CliError} `config_invalid` if none is named, or it is not an http(s) URL, or it is plain http to another machine without
 *   `--insecure-http`
 */
export async function resolveAuthority(
  run: Run,
  option: string | undefined,
  ofLogin?: string | undefined,
): Promise<string> {
  return parseBaseUrl(run, await requireAuthority(run, option, ofLogin));
}

/**
 * Gives the authority as it is named, not checked, in the order of {@link resolveAuthority}.
 *
 * @throws {CliError} `config_invalid` when there is none
 */
export async function requireAuthority(
  run: Run,
  option: string | undefined,
  ofLogin: string | undefined,
): Promise<NamedUrl> {
  const authority = authorityOption(option) ?? (await namedAuthority(run, ofLogin));
  if (authority !== undefined) return authority;
  throw new CliError("config_invalid", "no authority is configured", {
    hint: `log in with --authority URL, set COUNTERSIGN_AUTHORITY, or write authority = "https://…" into ${(await run.config()).file}`,
  });
}

/** The authority that `--authority` names, if it does. */
export function authorityOption(option: string | undefined): NamedUrl | undefined {
  return option === undefined ? undefined : { url: option, from: "--authority" };
}

/** The authority as it is named other than by an option, not checked; `undefined`: nowhere. */
export async function namedAuthority(
  run: Run,
  ofLogin?: string | undefined,
): Promise<NamedUrl | undefined> {
  const variable = run.environment.get("COUNTERSIGN_AUTHORITY");
  if (variable !== undefined) return { url: variable, from: "COUNTERSIGN_AUTHORITY" };
  const { authority, file } = await run.config();
  if (authority !== undefined) return { url: authority, from: `${file}: \`authority\`` };
  return ofLogin === undefined ? undefined : { url: ofLogin, from: "the stored login" };
}
