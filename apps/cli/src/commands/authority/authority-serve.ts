import {
  type Authority,
  type AuthorityLogger,
  createAuthority,
  createAuthorityMetrics,
  createOperationsListener,
} from "@countersign/agent-authority";
import { isLoopbackHost } from "@countersign/agent-key";
import type { Run } from "../../config/run.js";
import { openDatabase } from "../../options/database-option.js";
import { assertCanListen } from "../../serve/assert-can-listen.js";
import {
  type AuthoritySettings,
  type AuthoritySwitches,
  authorityOptionsOf,
  loadAuthoritySettings,
} from "../../serve/authority-config.js";
import { onForwardedRequest } from "../../serve/forwarded-requests.js";
import { serveUntilSignal } from "../../serve/serve-until-signal.js";
import { createLog, type Log } from "../../text/log.js";
import { readVersion } from "../../version.js";

/** Options of `authority serve`. */
export interface ServeAuthorityOptions extends AuthoritySwitches {
  readonly database?: string;
  readonly config?: string;
}

const QUIET_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/v1/admin/audit"]);
const DEFAULT_ADDRESS = { host: "127.0.0.1", port: 4600 };

/** `authority serve`: runs the authority until the process is asked to end. */
export async function serveAuthority(run: Run, options: ServeAuthorityOptions): Promise<void> {
  const warnings: string[] = [];
  const settings = await loadAuthoritySettings(
    run.environment,
    options,
    options.config,
    (warning) => warnings.push(warning),
  );
  const { listen: address = DEFAULT_ADDRESS, admin_listen: adminAddress } = settings;
  await assertCanListen(address);
  if (adminAddress !== undefined) await assertCanListen(adminAddress, "--admin-listen");
  if (settings.operations_listen !== undefined) {
    await assertCanListen(settings.operations_listen, "--operations-listen");
  }
  const log = createLog({ level: settings.log_level ?? "info", forPeople: !run.output.json });
  for (const warning of warnings) log.warn({}, warning);
  await using store = await openDatabase(run, options.database, {
    create: true,
    upgrade: true,
    configured: {
      configured: settings.database,
      passwordFile: settings.database_password_file,
    },
  });
  const metrics = createAuthorityMetrics({ version: readVersion() });
  const authority = await createAuthority({
    store,
    metrics,
    logger: quietOfProbes(log),
    ...authorityOptionsOf(settings),
  });
  const operationsListener = createOperationsListener({
    metrics,
    isReady: () => authority.isReady(),
  });
  try {
    const { operations_listen: operationsAddress } = settings;
    const operations =
      operationsAddress && (await operationsListener.listen(operationsAddress)).url;
    const { url } = await authority.listen(address);
    const admin = await listenAdmin(authority, settings);
    log.info(
      { version: readVersion(), url, admin, operations, database: store.description },
      "the authority serves",
    );
    if (adminAddress !== undefined && !isLoopbackHost(adminAddress.host)) {
      log.warn(
        { admin },
        "the admin API can be reached from other machines, in plain http: put TLS in front of it, and let only operators reach it",
      );
    }
    using _ = settings.public_url === undefined ? warnOfProxies(log) : undefined;
    const described = {
      ...(admin === undefined ? {} : { admin }),
      ...(operations === undefined ? {} : { operations }),
    };
    await serveUntilSignal(run, [{ url, described, close: () => authority.close() }], log);
  } finally {
    // What listens already when the rest cannot would keep the process.
    await authority.close();
    await operationsListener.close();
  }
}

async function listenAdmin(
  authority: Authority,
  { admin_listen: address, admin_hosts: hosts }: AuthoritySettings,
): Promise<string | undefined> {
  if (address === undefined) return undefined;
  return (await authority.listenAdmin({ ...address, hosts })).url;
}

// Successful probes, and the requests of a client that follows the audit log, come every few seconds and would bury all other lines.
function quietOfProbes(log: Log): AuthorityLogger {
  return {
    info(fields, message) {
      const { path, status } = fields;
      const isQuiet = status === 200 && QUIET_PATHS.has(String(path));
      log[isQuiet ? "debug" : "info"](fields, message);
    },
    error: (fields, message) => log.error(fields, message),
  };
}

// What is signed names the URL that clients use, and behind a proxy nothing but the configuration knows it.
function warnOfProxies(log: Log): Disposable {
  let warned = false;
  return onForwardedRequest((field) => {
    if (warned) return;
    warned = true;
    log.warn(
      { field },
      "a request came through a proxy, but public_url is not set: set it to the URL that clients use",
    );
  });
}
