import type { Run } from "../config/run.js";
import { parseBearerOrigin, parseOriginUrl } from "./http-url.js";

/**
 * The origins that a credential may be sent to: `origins` and `gateway` of the configuration, and what the command line names.
 *
 * @throws {CliError} `config_invalid` when one is no http(s) URL, or plain http to another machine without `--insecure-http`
 */
export async function allowedOrigins(
  run: Run,
  named: readonly string[],
): Promise<readonly string[]> {
  const config = await run.config();
  const gateway = config.gateway === undefined ? [] : [config.gateway];
  const urls = [
    ...config.origins.map((url) => ({ url, from: `${config.file}: \`origins\`` })),
    ...gateway.map((url) => ({ url, from: `${config.file}: \`gateway\`` })),
    ...named.map((url) => ({ url, from: "--origin" })),
  ];
  return [...new Set(urls.map((url) => parseOriginUrl(run, url)))];
}

/**
 * The origins that the human's token may go to, with the feature off or in a declared fallback: `bearer_origins` of the configuration, and
 * what `--bearer-origin` names.
 *
 * @throws {CliError} `config_invalid` if one is not an http(s) URL, or is plain http to another machine
 */
export async function allowedBearerOrigins(
  run: Run,
  named: readonly string[] = [],
): Promise<readonly string[]> {
  const config = await run.config();
  const urls = [
    ...config.bearer_origins.map((url) => ({ url, from: `${config.file}: \`bearer_origins\`` })),
    ...named.map((url) => ({ url, from: "--bearer-origin" })),
  ];
  return [...new Set(urls.map(parseBearerOrigin))];
}
