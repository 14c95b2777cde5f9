import type { AuthorityOptions } from "@countersign/agent-authority";
import { createOidcIssuer } from "@countersign/agent-authority/oidc";
import { isLoopbackHost } from "@countersign/agent-key";
import { duration, integer, listenAddress, listOf, oneOf, text } from "../config/setting-kinds.js";
import { readSettings, type SettingKind, type Settings } from "../config/settings.js";
import type { Environment } from "../home/environment.js";
import { parseUnsentBaseUrl } from "../options/http-url.js";
import { CliError } from "../text/cli-error.js";
import { LOG_LEVELS } from "../text/log.js";
import {
  accountLimitsOf,
  accountSettings,
  LIVE_LIMIT_KINDS,
  liveLimitsOf,
} from "./authority-account-config.js";
import { oidcIssuer } from "./authority-oidc-config.js";
import { readConfigFile } from "./config-file.js";

const TEN_YEARS_SECONDS = 315_360_000;
const WEEK_SECONDS = 604_800;
const PREFIX = "COUNTERSIGN_AUTHORITY_";

const life = duration({ min: 1, max: TEN_YEARS_SECONDS });
const count = integer({ min: 1 });
const countIfOn = integer({ min: 1, besides: '"off"' });
const countOrOff: SettingKind<number | "off"> = (written) =>
  written.value === "off" ? "off" : countIfOn(written);
const publicUrl: SettingKind<string> = (written) => {
  const url = text(written);
  const { origin, protocol, hostname } = new URL(parseUnsentBaseUrl({ url, from: written.from }));
  if (protocol === "https:" || isLoopbackHost(hostname)) return url;
  throw new CliError("config_invalid", `${written.from}: ${origin} is plain http`, {
    hint: "name the https URL that clients use; what ends TLS stands in front of the authority",
  });
};

/** What can be set, with the keys of the file. The upper bounds of numbers are the authority's to check. */
const KINDS = {
  listen: listenAddress,
  admin_listen: listenAddress,
  admin_hosts: listOf(text),
  operations_listen: listenAddress,
  public_url: publicUrl,
  database: text,
  database_password_file: text,
  log_level: oneOf(LOG_LEVELS),
  generations: listOf(oneOf(["A", "B", "C"])),
  registration_proof: oneOf(["accept", "require"]),
  plain_task_ids: oneOf(["accept", "refuse"]),
  capabilities: listOf(text),
  agent_ttl: life,
  task_ttl: life,
  task_idle_ttl: duration({ min: 600, max: TEN_YEARS_SECONDS }),
  max_ephemeral_ttl: duration({ min: 1, max: WEEK_SECONDS }),
  ...LIVE_LIMIT_KINDS,
  max_skew: duration({ min: 1, max: 3600 }),
  "rate_limits.refusals_per_minute": countOrOff,
  "rate_limits.address_per_minute": countOrOff,
  "rate_limits.user_per_minute": countOrOff,
  "rate_limits.agent_per_minute": countOrOff,
  "limits.requests": count,
  "limits.connections": count,
  "limits.connections_per_address": count,
  trusted_proxies: listOf(text),
  account: listOf(accountSettings),
  oidc: listOf(oidcIssuer),
};

/** What an operator decides about an authority. */
export type AuthoritySettings = Settings<typeof KINDS>;

/** The switches of `authority serve` that settings can be given by. */
export interface AuthoritySwitches {
  readonly listen?: string;
  readonly adminListen?: string;
  readonly operationsListen?: string;
  readonly publicUrl?: string;
  readonly logLevel?: string;
  /** No setting here, but it may name a variable as `env:VAR`. */
  readonly database?: string;
}

/** The keys of the file, as documents name them. */
export const AUTHORITY_KEYS: readonly string[] = Object.keys(KINDS);

/**
 * Loads the settings of `authority serve`: switches, then `COUNTERSIGN_AUTHORITY_…`, then the file of `--config`.
 *
 * @param warn - called with the variables that have the prefix and are no settings
 * @throws {CliError} `config_invalid` naming file and key, or the variable; `usage` for a switch
 */
export async function loadAuthoritySettings(
  environment: Environment,
  switches: AuthoritySwitches,
  file: string | undefined,
  warn: (message: string) => void,
): Promise<AuthoritySettings> {
  const sources = {
    switches: {
      listen: { name: "--listen", value: switches.listen },
      admin_listen: { name: "--admin-listen", value: switches.adminListen },
      operations_listen: { name: "--operations-listen", value: switches.operationsListen },
      public_url: { name: "--public-url", value: switches.publicUrl },
      log_level: { name: "--log-level", value: switches.logLevel },
    },
    allSwitches: switches,
    environment,
    prefix: PREFIX,
    secrets: { database: "COUNTERSIGN_AUTHORITY_DATABASE" } as const,
    file: await readConfigFile(file),
  };
  return readSettings(KINDS, sources, warn);
}

/** The options of an authority that settings decide. */
export function authorityOptionsOf(
  settings: AuthoritySettings,
): Omit<AuthorityOptions, "store" | "logger" | "metrics" | "now"> {
  return {
    publicUrl: settings.public_url,
    generations: settings.generations,
    registrationProof: settings.registration_proof,
    plainTaskIds: settings.plain_task_ids,
    capabilities: settings.capabilities,
    agentTtlSeconds: settings.agent_ttl,
    taskTtlSeconds: settings.task_ttl,
    taskIdleTtlSeconds: settings.task_idle_ttl,
    maxEphemeralTtlSeconds: settings.max_ephemeral_ttl,
    ...liveLimitsOf(settings),
    accountLimits: accountLimitsOf(settings.account),
    maxSkewSeconds: settings.max_skew,
    rateLimits: {
      refusalsPerMinute: settings["rate_limits.refusals_per_minute"],
      addressPerMinute: settings["rate_limits.address_per_minute"],
      userPerMinute: settings["rate_limits.user_per_minute"],
      agentPerMinute: settings["rate_limits.agent_per_minute"],
    },
    limits: {
      maxRequests: settings["limits.requests"],
      maxConnections: settings["limits.connections"],
      maxConnectionsPerAddress: settings["limits.connections_per_address"],
    },
    trustedProxies: settings.trusted_proxies,
    humans: settings.oidc?.map((issuer) => createOidcIssuer(issuer)),
  };
}
