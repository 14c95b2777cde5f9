import { createVerifier } from "@countersign/agent-assertion";
import {
  type Authorizer,
  createAuthorizer,
  type GatewayKind,
  type ProxyMetrics,
} from "@countersign/assertion-proxy";
import { parseListenAddress } from "../config/listen-address.js";
import type { Run } from "../config/run.js";
import { type DirectoryOptions, openDirectory } from "../directory/directory-option.js";
import { pathOption } from "../home/home.js";
import { readSecretSource } from "../home/secrets.js";
import { type AccountOptions, accountsOf } from "../options/account-option.js";
import { type BindingSwitches, resolveBinding } from "../options/binding-option.js";
import { type CallerTokenSwitches, callerTokensOf } from "../options/caller-token-option.js";
import { closeOptionsOf, type DrainOptions } from "../options/drain-option.js";
import { type OperationsOptions, openOperations } from "../options/operations-option.js";
import { type RevocationOptions, revocationDelayOf } from "../options/revocation-delay-option.js";
import { ServedSecrets } from "../options/served-secrets.js";
import { trustedProxiesOf } from "../options/trusted-proxy-option.js";
import { type UseReportOptions, useReportSecondsOf } from "../options/use-report-option.js";
import { type AuditOptions, withAuditFile, withFreeStdout } from "../serve/audit-file.js";
import { watchCredentialEnds } from "../serve/credential-ends.js";
import { serveUntilSignal } from "../serve/serve-until-signal.js";
import { usageError } from "../text/cli-error.js";

/** Options of `authorize`. */
export interface AuthorizeOptions
  extends AccountOptions,
    AuditOptions,
    BindingSwitches,
    CallerTokenSwitches,
    DirectoryOptions,
    DrainOptions,
    OperationsOptions,
    RevocationOptions,
    UseReportOptions {
  readonly gateway: GatewayKind;
  readonly listen?: string;
  readonly socket?: string;
  readonly gatewayToken?: string;
  readonly handsOverBodies?: boolean;
  readonly trustedProxy?: readonly string[];
}

/** `authorize`: answers for gateways of another make whether a request may pass, until the process is asked to end. */
export async function authorize(run: Run, options: AuthorizeOptions): Promise<void> {
  const place = placeOf(options);
  // The one that asks is on this machine, its clients are not.
  const accounts = accountsOf(options, undefined);
  const revocationDelaySeconds = revocationDelayOf(options);
  const closing = closeOptionsOf(options);
  const useReportSeconds = useReportSecondsOf(options);
  const trustedProxies = trustedProxiesOf(run, options.trustedProxy);
  using secrets = new ServedSecrets(run);
  const callerTokens = await callerTokensOf(options, secrets);
  let server: Authorizer | undefined;
  const { gatewayToken: source } = options;
  const gatewayToken =
    source === undefined
      ? undefined
      : await secrets.read({
          what: "the token of --gateway-token",
          sources: [source],
          read: () => readSecretSource(run.environment, source, "--gateway-token"),
          take: (token) => server?.setGatewayToken(token),
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
    accounts,
    gateway: options.gateway,
    handsOverBodies: options.handsOverBodies,
    gatewayToken,
    trustedProxies,
    callerTokens,
  };
  // A wrong option is refused here, before a file is made.
  createAuthorizer(settings);
  await using operations = await openOperations(run, options, {
    isReady: () => server?.isReady() === true && opened.canVerify(),
    callerTokens,
  });
  const { metrics, described } = operations;
  figures = metrics;
  metrics?.directory(opened.figures);
  using _ends = watchCredentialEnds(run.output, metrics, () => ({
    directory_token: opened.tokenEndsAt(),
  }));
  await withAuditFile(run, options, metrics, async (audit) => {
    const authorizer = createAuthorizer({ ...settings, ...audit, metrics });
    server = authorizer;
    const { url } = await authorizer.listen(place);
    secrets.start();
    await serveUntilSignal(withFreeStdout(run, options), [
      { url, described, close: () => authorizer.close(closing) },
    ]);
  });
}

function placeOf({ listen, socket }: AuthorizeOptions) {
  if ((listen === undefined) === (socket === undefined)) {
    throw usageError(
      "give one place to listen",
      "add --listen HOST:PORT, or --socket PATH in a folder of your own with mode 0700",
    );
  }
  if (socket !== undefined) return { socketPath: pathOption(socket, "--socket") };
  return parseListenAddress(listen ?? "");
}
