import { REVOCATION_DELAY_SECONDS } from "@countersign/agent-assertion";
import { isPrincipalId } from "@countersign/agent-key";
import type { ProxyLimitOptions } from "@countersign/assertion-proxy";
import type { DatabaseSources } from "../config/database-url.js";
import {
  duration,
  integer,
  listenAddress,
  listOf,
  oneOf,
  text,
  yesOrNo,
} from "../config/setting-kinds.js";
import {
  isTable,
  notAllowed,
  readSettings,
  type SettingKind,
  type Settings,
} from "../config/settings.js";
import type { Environment } from "../home/environment.js";
import type { AccountOptions } from "../options/account-option.js";
import type { BindingSwitches } from "../options/binding-option.js";
import type { CallerTokenSwitches } from "../options/caller-token-option.js";
import type { DrainOptions } from "../options/drain-option.js";
import { parseUnsentBaseUrl } from "../options/http-url.js";
import type { OperationsOptions } from "../options/operations-option.js";
import type { TimeoutOptions } from "../options/proxy-limit-options.js";
import type { RevocationOptions } from "../options/revocation-delay-option.js";
import { MAX_USE_REPORT_SECONDS, type UseReportOptions } from "../options/use-report-option.js";
import { CliError } from "../text/cli-error.js";
import { LOG_LEVELS, type LogLevel } from "../text/log.js";
import type { AuditOptions } from "./audit-file.js";
import { type ConfigFile, readConfigFile } from "./config-file.js";

const PREFIX = "COUNTERSIGN_GATEWAY_";
const DAY_SECONDS = 86_400;

// The commands that these settings are of read the texts themselves: here it is only said where a wrong one stands.
const asText =
  (kind: SettingKind<unknown>): SettingKind<string> =>
  (written) => {
    kind(written);
    return text(written);
  };
const address = asText(listenAddress);
const silence = asText(duration({ min: 1, max: DAY_SECONDS }));
const count = integer({ min: 1 });
const baseUrl: SettingKind<string> = (written) => {
  parseUnsentBaseUrl({ url: text(written), from: written.from });
  return text(written);
};
const account: SettingKind<string> = (written) => {
  const id = text(written);
  if (isPrincipalId(id)) return id;
  throw notAllowed(written, "the id of an account");
};
// A secret in the place of its source is not repeated.
const secretSource: SettingKind<string> = (written) => {
  const source = text(written);
  if (/^(?:env|file):./s.test(source)) return source;
  throw notAllowed(written, "env:VAR or file:PATH");
};
const header: SettingKind<string> = (written) => {
  const line = text(written);
  if (/^[^\s:]+:[ \t]*(?:env|file):./s.test(line)) return line;
  throw notAllowed(written, "'Name: env:VAR' or 'Name: file:PATH'");
};

/** What can be set, with the keys of the file. `upstream` stands for the one `[[upstream]]`. */
const KINDS = {
  listen: address,
  operations_listen: address,
  log_level: oneOf(LOG_LEVELS),
  authority: baseUrl,
  authority_token: secretSource,
  database: text,
  database_password_file: text,
  accounts: listOf(account),
  any_account: yesOrNo,
  trusted_proxies: listOf(text),
  audit: text,
  audit_failure: oneOf(["serve", "refuse"]),
  audience: text,
  token_issuer: text,
  token_keys: text,
  public_url: baseUrl,
  binding: oneOf(["off", "accept", "require"]),
  replay_store: oneOf(["memory", "database"]),
  revocation_delay: asText(duration({ min: 0, max: REVOCATION_DELAY_SECONDS.most })),
  outage_window: asText(duration({ min: 0, max: 3600 })),
  drain_delay: asText(duration({ min: 0, max: 600 })),
  drain_timeout: asText(duration({ min: 0, max: 3600 })),
  use_report_interval: asText(duration({ min: 0, max: MAX_USE_REPORT_SECONDS })),
  insecure_http: yesOrNo,
  "upstream.url": baseUrl,
  "upstream.headers": listOf(header),
  "upstream.forward_headers": listOf(text),
  "upstream.response_timeout": silence,
  "upstream.idle_timeout": silence,
  "limits.header_bytes": count,
  "limits.body_bytes": integer({ min: 0 }),
  "limits.held_bytes": count,
  "limits.requests": count,
  "limits.requests_per_connection": count,
  "limits.requests_per_agent": count,
  "limits.requests_per_account": count,
  "limits.connections": count,
  "limits.connections_per_address": count,
};

/** A database that a configuration names, with its password or the file of it. */
export type DatabaseSetting = Omit<DatabaseSources, "option">;

/** What of the switches of `gateway` settings can decide too. */
export interface GatewaySwitches
  extends AccountOptions,
    AuditOptions,
    BindingSwitches,
    CallerTokenSwitches,
    DrainOptions,
    OperationsOptions,
    RevocationOptions,
    TimeoutOptions,
    UseReportOptions {
  readonly authority?: string | undefined;
  readonly authorityToken?: string | undefined;
  readonly database?: string | undefined;
  readonly outageWindow?: string | undefined;
  /** What the configuration says of the database. */
  readonly databaseSetting?: DatabaseSetting | undefined;
  readonly listen?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly upstream?: string | undefined;
  readonly upstreamHeader?: readonly string[] | undefined;
  readonly forwardHeader?: readonly string[] | undefined;
  readonly trustedProxy?: readonly string[] | undefined;
}

/** The keys of the file, as documents name them. */
export const GATEWAY_KEYS: readonly string[] = Object.keys(KINDS);

/** What an operator decides about a gateway. */
export type GatewaySettings = Settings<typeof KINDS>;

/**
 * Loads the settings of `gateway` beside its switches: `COUNTERSIGN_GATEWAY_…`, then the file of `--config`.
 *
 * @param warn - called with the variables that have the prefix and are no settings
 * @param allSwitches - the switches of the command, whose values may name a variable as `env:VAR`
 * @throws {CliError} `config_invalid` naming file and key, or the variable, also for a second `[[upstream]]`
 */
export async function loadGatewaySettings(
  environment: Environment,
  config: string | undefined,
  warn: (message: string) => void,
  allSwitches: object = {},
): Promise<GatewaySettings> {
  const file = await readConfigFile(config);
  const sources = {
    switches: {},
    allSwitches,
    environment,
    prefix: PREFIX,
    secrets: { database: "COUNTERSIGN_GATEWAY_DATABASE" } as const,
    file: file && { name: file.name, values: withOneOfEach(file) },
  };
  return readSettings(KINDS, sources, warn);
}

// The file has lists, so that several upstreams and limits will not change its form.
function withOneOfEach({ name, values }: ConfigFile): ConfigFile["values"] {
  const { upstream = [], limits = [], ...others } = values;
  if (isTable(upstream)) {
    throw new CliError("config_invalid", `${name}: \`upstream\` is a list of tables`, {
      hint: "write [[upstream]]",
    });
  }
  return {
    ...others,
    ...onlyOf(name, "upstream", upstream, "run one gateway for each upstream"),
    ...onlyOf(name, "limits", isTable(limits) ? [limits] : limits, "write all limits into it"),
  };
}

function onlyOf(
  file: string,
  key: string,
  tables: unknown,
  remedy: string,
): Readonly<Record<string, unknown>> {
  if (!Array.isArray(tables) || !tables.every(isTable)) {
    throw new CliError("config_invalid", `${file}: \`${key}\` must be a list of tables`, {
      hint: `write [[${key}]]`,
    });
  }
  if (tables.length > 1) {
    throw new CliError("config_invalid", `${file}: there are ${tables.length} [[${key}]]`, {
      hint: `a gateway has one [[${key}]]: ${remedy}`,
    });
  }
  return tables.length === 0 ? {} : { [key]: tables[0] };
}

/** The options of `gateway` that settings decide, in the form that its switches have. A choice that a switch made is left out whole. */
export function withSettings<Options extends GatewaySwitches>(
  settings: GatewaySettings,
  switches: Options,
): Options & GatewaySwitches {
  const { account, anyAccount, authority, authorityToken, database } = switches;
  const isServed = account !== undefined || anyAccount !== undefined;
  const isNamed = authority !== undefined || database !== undefined;
  const ofDirectory =
    database === undefined && authority === undefined
      ? { authority: settings.authority, databaseSetting: databaseOf(settings) }
      : {};
  const configured: GatewaySwitches = {
    listen: settings.listen,
    operationsListen: settings.operations_listen,
    logLevel: settings.log_level,
    ...ofDirectory,
    outageWindow: database === undefined ? settings.outage_window : undefined,
    authorityToken: isNamed ? authorityToken : settings.authority_token,
    ...(isServed ? {} : { account: settings.accounts, anyAccount: settings.any_account }),
    trustedProxy: settings.trusted_proxies,
    audit: settings.audit,
    auditFailure: settings.audit_failure,
    audience: settings.audience,
    tokenIssuer: settings.token_issuer,
    tokenKeys: settings.token_keys,
    publicUrl: settings.public_url,
    binding: settings.binding,
    replayStore: settings.replay_store,
    revocationDelay: settings.revocation_delay,
    drainDelay: settings.drain_delay,
    drainTimeout: settings.drain_timeout,
    useReportInterval: settings.use_report_interval,
    upstream: settings["upstream.url"],
    upstreamHeader: settings["upstream.headers"],
    forwardHeader: settings["upstream.forward_headers"],
    responseTimeout: settings["upstream.response_timeout"],
    idleTimeout: settings["upstream.idle_timeout"],
  };
  return { ...configured, ...switches };
}

function databaseOf(settings: GatewaySettings): DatabaseSetting | undefined {
  const { database, database_password_file: passwordFile } = settings;
  return database === undefined ? undefined : { configured: database, passwordFile };
}

/** The limits of a gateway that settings decide. */
export function gatewayLimitsOf(settings: GatewaySettings): ProxyLimitOptions {
  return {
    maxHeaderBytes: settings["limits.header_bytes"],
    maxBodyBytes: settings["limits.body_bytes"],
    maxHeldBytes: settings["limits.held_bytes"],
    maxRequests: settings["limits.requests"],
    maxRequestsPerConnection: settings["limits.requests_per_connection"],
    maxRequestsPerAgent: settings["limits.requests_per_agent"],
    maxRequestsPerAccount: settings["limits.requests_per_account"],
    maxConnections: settings["limits.connections"],
    maxConnectionsPerAddress: settings["limits.connections_per_address"],
  };
}
