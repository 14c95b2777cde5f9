import { createVerifier, REVOCATION_DELAY_SECONDS } from "@countersign/agent-assertion";
import { isLoopbackHost } from "@countersign/agent-key";
import {
  createVerifyingGateway,
  type ProxyMetrics,
  type VerifyingGateway,
} from "@countersign/assertion-proxy";
import { parseListenAddress } from "../config/listen-address.js";
import type { Run } from "../config/run.js";
import { type DirectoryOptions, openDirectory } from "../directory/directory-option.js";
import { toReportedError } from "../home/to-reported-error.js";
import { type BindingSwitches, resolveBinding } from "../options/binding-option.js";
import { parseBaseUrl } from "../options/http-url.js";
import { type OperationsOptions, openOperations } from "../options/operations-option.js";
import { checkPrincipals } from "../options/principal-options.js";
import { type TimeoutOptions, timeoutsOf } from "../options/proxy-limit-options.js";
import { trustedProxiesOf } from "../options/trusted-proxy-option.js";
import { parseUpstreamHeaders } from "../options/upstream-header-option.js";
import { onHangup } from "../process/on-hangup.js";
import { withAuditFile } from "../serve/audit-file.js";
import { serveUntilSignal } from "../serve/serve-until-signal.js";
import { usageError } from "../text/cli-error.js";
import { parseDuration } from "../text/duration.js";

/** Options of `gateway`. */
export interface GatewayOptions
  extends DirectoryOptions,
    BindingSwitches,
    OperationsOptions,
    TimeoutOptions {
  readonly listen: string;
  readonly upstream: string;
  readonly account?: readonly string[];
  readonly anyAccount?: boolean;
  readonly upstreamHeader?: readonly string[];
  readonly forwardHeader?: readonly string[];
  readonly audit?: string;
  readonly revocationDelay?: string;
  readonly trustedProxy?: readonly string[];
}

/** `gateway`: verifies requests and passes them on, until the process is asked to end. */
export async function gateway(run: Run, options: GatewayOptions): Promise<void> {
  const address = parseListenAddress(options.listen);
  const accounts = accountsOf(options, address.host);
  const { revocationDelay = `${REVOCATION_DELAY_SECONDS.default}s` } = options;
  const revocationDelaySeconds = parseDuration(revocationDelay, "--revocation-delay", {
    min: 0,
    max: REVOCATION_DELAY_SECONDS.most,
  });
  const limits = timeoutsOf(options);
  const trustedProxies = trustedProxiesOf(run, options.trustedProxy);
  const upstream = parseBaseUrl(run, { url: options.upstream, from: "--upstream" });
  const readUpstreamHeaders = parseUpstreamHeaders(run, options.upstreamHeader ?? []);
  const upstreamHeaders = await readUpstreamHeaders();
  let figures: ProxyMetrics | undefined;
  await using opened = await openDirectory(run, options, {
    revocationDelaySeconds,
    tellsOutages: true,
    onClock: (aheadMs) => figures?.authorityClock(aheadMs),
  });
  const binding = resolveBinding(run, options, opened.replayStore);
  const settings = {
    verifier: createVerifier({ directory: opened.directory, binding }),
    upstream,
    ...run.http,
    upstreamHeaders,
    forwardHeaders: options.forwardHeader,
    accounts,
    trustedProxies,
    limits,
    // What is open is looked at again at least once a second: a delay of nothing is for single requests.
    recheckMs: Math.max(1, revocationDelaySeconds) * 1000,
  };
  // A wrong option is refused here, before a file is made.
  createVerifyingGateway(settings);
  let server: VerifyingGateway | undefined;
  await using operations = await openOperations(run, options, () => server?.isReady() === true);
  await withAuditFile(run, options.audit, async (audit) => {
    const { metrics } = operations;
    figures = metrics;
    const verifying = createVerifyingGateway({ ...settings, audit, metrics });
    server = verifying;
    const { url } = await verifying.listen(address);
    using _ = onHangup(() => reload(run, verifying, readUpstreamHeaders));
    const { described } = operations;
    await serveUntilSignal(run, [{ url, described, close: () => verifying.close() }]);
  });
}

// Every caller of a loopback listener is on this machine. For callers from elsewhere the operator must choose the accounts.
function accountsOf(options: GatewayOptions, host: string): readonly string[] | "any" {
  const { account = [], anyAccount = false } = options;
  if (account.length > 0 && anyAccount) {
    throw usageError("--account and --any-account exclude each other");
  }
  checkPrincipals(account, []);
  if (account.length > 0) return account;
  if (anyAccount || isLoopbackHost(host)) return "any";
  throw usageError(
    "a gateway that other machines can reach needs the accounts that it serves",
    "add --account ID for each account, or --any-account",
  );
}

/** Takes the upstream's credentials as their files hold them now; when one cannot be read, all stay as they are. */
async function reload(
  run: Run,
  verifying: VerifyingGateway,
  readUpstreamHeaders: () => Promise<Readonly<Record<string, string>>>,
): Promise<void> {
  try {
    verifying.setUpstreamHeaders(await readUpstreamHeaders());
    run.output.note("SIGHUP: the upstream's credentials were read again");
  } catch (error) {
    const { message, code } = toReportedError(error, run.signal);
    run.output.warn(`SIGHUP: the upstream's credentials stay as they were: ${message} (${code})`);
  }
}
