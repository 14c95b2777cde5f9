import { parseOriginUrl } from "./http-url.js";
import type { Run } from "./run.js";

/**
 * The origins that a credential may be sent to: `origins` and `gateway` of the configuration, and what the command line names.
 *
 * @throws {CliError} `config_invalid` when one is plain http to another machine without `--insecure-http`
 * @throws {AgentKeyError} `config_invalid` when one is no http(s) URL
 */
export async function allowedOrigins(
  run: Run,
  named: readonly string[],
): Promise<readonly string[]> {
  const config = await run.config();
  const gateway = config.gateway === undefined ? [] : [config.gateway];
  const urls = [...config.origins, ...gateway, ...named];
  return [...new Set(urls.map((url) => parseOriginUrl(run, url)))];
}
