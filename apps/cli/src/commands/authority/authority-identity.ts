import { createRegistry } from "@countersign/agent-authority";
import type { Run } from "../../config/run.js";
import { openDatabase } from "../../options/database-option.js";
import { checkPrincipals } from "../../options/principal-options.js";
import { authorityOptionsOf, loadAuthoritySettings } from "../../serve/authority-config.js";
import { operatorOrigin } from "../../session/operator-origin.js";
import type { RegistryOptions } from "../../session/registry-session.js";
import { CliError } from "../../text/cli-error.js";
import { parseDuration } from "../../text/duration.js";

/** Options of `authority identity issue`. */
export interface IssueIdentityOptions extends RegistryOptions {
  readonly account: string;
  readonly user: string;
  readonly email?: string;
  readonly plan?: string;
  readonly ttl: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly config?: string;
}

const TEN_YEARS_SECONDS = 315_360_000;

/**
 * `authority identity issue`: prints the identity JWT alone.
 *
 * It works on the database, and knows by the configuration of `authority serve` alone whether generation B is served, and its limits.
 */
export async function issueIdentity(run: Run, options: IssueIdentityOptions): Promise<void> {
  const { account: accountId, user: userId, email, plan: planType, issuer, audience } = options;
  checkPrincipals([accountId], [userId]);
  const ttlSeconds = parseDuration(options.ttl, "--ttl", { min: 1, max: TEN_YEARS_SECONDS });
  const settings = await loadAuthoritySettings(run.environment, {}, options.config, run.warnOnce);
  if (settings.generations?.includes("B") !== true) throw notServed();
  const store = await openDatabase(run, options.database, {
    create: true,
    configured: {
      configured: settings.database,
      passwordFile: settings.database_password_file,
    },
  });
  try {
    const { generations, agentTtlSeconds, maxLiveAgents, accountLimits, humans } =
      authorityOptionsOf(settings);
    const registry = createRegistry(store, {
      origin: operatorOrigin(),
      ...{ generations, agentTtlSeconds, maxLiveAgents, accountLimits, humans },
    });
    const issued = await registry.issueIdentity({
      ...{ accountId, userId, email, planType, ttlSeconds, issuer, audience },
    });
    run.output.result(
      {
        agent_runtime_id: issued.agentRuntimeId,
        identity_token: issued.token,
        kid: issued.kid,
        account_id: accountId,
        user_id: userId,
        expires_at: issued.expiresAt,
      },
      () => issued.token,
    );
  } finally {
    await store.close();
  }
}

// Said before the database is opened, which is not to be made for nothing.
function notServed(): CliError {
  return new CliError("config_invalid", "the configuration does not serve generation B", {
    hint: 'name the file of authority serve with --config, with generations = ["A", "B", "C"] in it',
  });
}
