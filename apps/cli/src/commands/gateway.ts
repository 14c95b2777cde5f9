import { createVerifier } from "@countersign/agent-assertion";
import {
  type AuditEntry,
  createVerifyingGateway,
  type ProxyMetrics,
  type VerifyingGateway,
} from "@countersign/assertion-proxy";
import { parseListenAddress } from "../config/listen-address.js";
import type { Run } from "../config/run.js";
import { openDirectory } from "../directory/directory-option.js";
import { accountsOf } from "../options/account-option.js";
import { resolveBinding } from "../options/binding-option.js";
import { callerTokensOf } from "../options/caller-token-option.js";
import { closeOptionsOf } from "../options/drain-option.js";
import { parseBaseUrl } from "../options/http-url.js";
import { openOperations } from "../options/operations-option.js";
import { timeoutsOf } from "../options/proxy-limit-options.js";
import { revocationDelayOf } from "../options/revocation-delay-option.js";
import { ServedSecrets } from "../options/served-secrets.js";
import { trustedProxiesOf } from "../options/trusted-proxy-option.js";
import { parseUpstreamHeaders } from "../options/upstream-header-option.js";
import { useReportSecondsOf } from "../options/use-report-option.js";
import { type OpenAudit, withAuditFile, withFreeStdout } from "../serve/audit-file.js";
import { watchCredentialEnds } from "../serve/credential-ends.js";
import {
  type GatewaySwitches,
  gatewayLimitsOf,
  loadGatewaySettings,
  withSettings,
} from "../serve/gateway-config.js";
import { logRequest, withLog } from "../serve/logged-run.js";
import { serveUntilSignal } from "../serve/serve-until-signal.js";
import { usageError } from "../text/cli-error.js";
import type { Log } from "../text/log.js";
import { readVersion } from "../version.js";

/** Options of `gateway`. */
export interface GatewayOptions extends GatewaySwitches {
  readonly config?: string;
}

/** `gateway`: verifies requests and passes them on, until the process is asked to end. */
export async function gateway(of: Run, switches: GatewayOptions): Promise<void> {
  const warnings: string[] = [];
  const configured = await loadGatewaySettings(
    of.environment,
    switches.config,
    (warning) => warnings.push(warning),
    switches,
  );
  const options = withSettings(configured, switches);
  const { run, log } = withLog(withPlainHttp(of, configured.insecure_http), options.logLevel);
  for (const warning of warnings) run.output.warn(warning);
  if (options.listen === undefined) {
    throw usageError(
      "nowhere to listen",
      "add --listen HOST:PORT, or listen to the file of --config",
    );
  }
  if (options.upstream === undefined) {
    throw usageError("no upstream", "add --upstream URL, or [[upstream]] to the file of --config");
  }
  const address = parseListenAddress(options.listen);
  const accounts = accountsOf(options, address.host);
  const revocationDelaySeconds = revocationDelayOf(options);
  const useReportSeconds = useReportSecondsOf(options);
  const limits = { ...gatewayLimitsOf(configured), ...timeoutsOf(options) };
  const closing = closeOptionsOf(options);
  const trustedProxies = trustedProxiesOf(run, options.trustedProxy);
  using secrets = new ServedSecrets(run);
  const callerTokens = await callerTokensOf(options, secrets);
  const upstream = parseBaseUrl(run, { url: options.upstream, from: "--upstream" });
  const readUpstreamHeaders = parseUpstreamHeaders(run, options.upstreamHeader ?? []);
  let server: VerifyingGateway | undefined;
  const upstreamHeaders = await secrets.read({
    what: "the upstream's credentials",
    isPlural: true,
    sources: readUpstreamHeaders.sources,
    read: readUpstreamHeaders,
    take: (headers) => server?.setUpstreamHeaders(headers),
  });
  let figures: ProxyMetrics | undefined;
  await using opened = await openDirectory(run, options, {
    revocationDelaySeconds,
    tellsOutages: true,
    secrets,
    useReportSeconds,
    onUseReport: (event) => figures?.useReport(event),
    onClock: (aheadMs) => figures?.authorityClock(aheadMs),
    onLookup: (lookup) => figures?.directoryLookup(lookup),
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
    callerTokens,
    limits,
    // What is open is looked at again at least once a second: a delay of nothing is for single requests.
    recheckMs: Math.max(1, revocationDelaySeconds) * 1000,
  };
  // A wrong option is refused here, before a file is made.
  createVerifyingGateway(settings);
  await using operations = await openOperations(run, options, {
    isReady: () => server?.isReady() === true && opened.canVerify(),
    callerTokens,
  });
  const { metrics } = operations;
  figures = metrics;
  metrics?.directory(opened.figures);
  using _ends = watchCredentialEnds(run.output, metrics, () => ({
    directory_token: opened.tokenEndsAt(),
    upstream: readUpstreamHeaders.endsAt(),
  }));
  await withAuditFile(run, options, metrics, async (audit) => {
    const kept = log === undefined ? audit : { ...audit, audit: alsoLogged(log, audit.audit) };
    const verifying = createVerifyingGateway({ ...settings, ...kept, metrics });
    server = verifying;
    const { url } = await verifying.listen(address);
    secrets.start();
    const { described } = operations;
    log?.info({ version: readVersion(), url, ...described }, "the gateway serves");
    const servers = [{ url, described, close: () => verifying.close(closing) }];
    await serveUntilSignal(withFreeStdout(run, options, log !== undefined), servers, log);
  });
}

function withPlainHttp(run: Run, insecureHttp = run.http.insecureHttp): Run {
  const http = { insecureHttp: run.http.insecureHttp || insecureHttp };
  return { ...run, http, asking: { ...run.asking, ...http } };
}

function alsoLogged(log: Log, audit: OpenAudit["audit"]): (entry: AuditEntry) => void {
  return (entry) => {
    logRequest(log, entry);
    audit?.(entry);
  };
}
