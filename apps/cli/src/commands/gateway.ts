import { createVerifier } from "@countersign/agent-assertion";
import { isLoopbackHost } from "@countersign/agent-key";
import { createVerifyingGateway } from "@countersign/assertion-proxy";
import { withAuditFile } from "../audit-file.js";
import { usageError } from "../cli-error.js";
import { type DirectoryOptions, openDirectory } from "../directory-option.js";
import { parseDuration } from "../duration.js";
import { parseBaseUrl, parseOriginUrl } from "../http-url.js";
import { parseListenAddress } from "../listen-address.js";
import { checkPrincipals } from "../principal-options.js";
import type { Run } from "../run.js";
import { readSecretSource } from "../secrets.js";
import { serveUntilSignal } from "../serve-until-signal.js";

/** Options of `gateway`. */
export interface GatewayOptions extends DirectoryOptions {
  readonly listen: string;
  readonly upstream: string;
  readonly account?: readonly string[];
  readonly anyAccount?: boolean;
  readonly upstreamHeader?: readonly string[];
  readonly audit?: string;
  readonly publicUrl?: string;
  readonly revocationDelay?: string;
}

const MAX_REVOCATION_DELAY_SECONDS = 30;

/** `gateway`: verifies requests and passes them on, until the process is asked to end. */
export async function gateway(run: Run, options: GatewayOptions): Promise<void> {
  const address = parseListenAddress(options.listen);
  const accounts = accountsOf(options, address.host);
  const delaySeconds = parseDuration(options.revocationDelay ?? "15s", "--revocation-delay", {
    min: 0,
    max: MAX_REVOCATION_DELAY_SECONDS,
  });
  if (options.publicUrl !== undefined) {
    parseOriginUrl(run, { url: options.publicUrl, from: "--public-url" });
  }
  const upstream = parseBaseUrl(run, { url: options.upstream, from: "--upstream" });
  const upstreamHeaders = await readUpstreamHeaders(run, options.upstreamHeader ?? []);
  await using opened = await openDirectory(run, options, delaySeconds);
  await withAuditFile(run, options.audit, async (audit) => {
    const verifying = createVerifyingGateway({
      verifier: createVerifier({ directory: opened.directory }),
      upstream,
      ...run.http,
      upstreamHeaders,
      accounts,
      // What is open is looked at again at least once a second: a delay of nothing is for single requests.
      recheckMs: Math.max(1, delaySeconds) * 1000,
      audit,
    });
    const { url } = await verifying.listen(address);
    await serveUntilSignal(run, [{ url, close: () => verifying.close() }]);
  });
}

// Whoever can reach a loopback listener is on this machine; anybody else's accounts must be chosen.
function accountsOf(options: GatewayOptions, host: string): readonly string[] | "any" {
  const { account = [], anyAccount = false } = options;
  if (account.length > 0 && anyAccount) {
    throw usageError("--account and --any-account exclude each other");
  }
  checkPrincipals(account, []);
  if (account.length > 0) return account;
  if (anyAccount || isLoopbackHost(host)) return "any";
  throw usageError(
    "a gateway that others can reach must be told whom it serves",
    "add --account ID for each account, or --any-account",
  );
}

async function readUpstreamHeaders(
  run: Run,
  options: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const headers: Record<string, string> = {};
  for (const option of options) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(\S.*)$/s.exec(option);
    const [, name, source] = match ?? [];
    // Not repeated: it may hold the secret itself.
    if (name === undefined || source === undefined) {
      throw usageError("--upstream-header is not 'Name: env:VAR' or 'Name: file:PATH'");
    }
    headers[name] = await readSecretSource(run.environment, source, `--upstream-header ${name}`);
  }
  return headers;
}
