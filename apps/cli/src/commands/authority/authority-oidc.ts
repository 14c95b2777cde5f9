import { AgentAuthorityError } from "@countersign/agent-authority";
import {
  checkIssuers,
  checkOidcToken,
  createOidcIssuer,
  type OidcIssuerOptions,
} from "@countersign/agent-authority/oidc";
import { escapeText } from "@countersign/agent-key/escaping";
import { errnoOf } from "@countersign/agent-key/platform-fetch";
import type { Run } from "../../config/run.js";
import { readStdin } from "../../home/secrets.js";
import { loadAuthoritySettings } from "../../serve/authority-config.js";
import { CliError } from "../../text/cli-error.js";
import { formatTexts } from "../../text/format-texts.js";

/** Options of `authority oidc check`. */
export interface CheckOidcOptions {
  readonly config: string;
}

const MAX_TOKEN_BYTES = 65_536;

/** `authority oidc check`: tries the token on stdin against each issuer of the configuration. The token itself is never printed. */
export async function checkOidc(run: Run, options: CheckOidcOptions): Promise<void> {
  const settings = await loadAuthoritySettings(run.environment, {}, options.config, run.warnOnce);
  const { oidc = [] } = settings;
  if (oidc.length === 0) {
    throw new CliError("config_invalid", `${options.config} names no issuer`, {
      hint: "add [[oidc]]; docs/oidc.md has examples",
    });
  }
  checkIssuers(oidc.map((issuer) => createOidcIssuer(issuer)));
  const token = (await readStdin(process.stdin, MAX_TOKEN_BYTES)).toString("utf8").trim();
  const checks = await Promise.all(
    oidc.map(async (issuer) => {
      const { principal, reason, seen, expected } = await checkOidcToken(issuer, token).catch(
        (error: unknown) => {
          throw withCause(error, issuer);
        },
      );
      return {
        name: issuer.name,
        taken: principal !== undefined,
        reason: reason ?? null,
        seen: seen ?? null,
        expected: expected ?? null,
        account_id: principal?.accountId ?? null,
        user_id: principal?.userId ?? null,
        claims: principal?.claims ?? null,
      };
    }),
  );
  const isTaken = checks.some(({ taken }) => taken);
  run.output.result({ taken: isTaken, checks }, () =>
    checks.map(({ name, taken, reason, seen, expected, account_id, user_id, claims }) =>
      escapeText(
        taken
          ? `oidc ${name}: taken, account ${account_id}, user ${user_id}${claims === null ? "" : `, keeps ${formatTexts(claims)}`}`
          : `${reason}: seen ${seen ?? "-"}, expected ${expected ?? "-"}`,
      ),
    ),
  );
  if (isTaken) return;
  throw new CliError("unauthenticated", "no issuer of the configuration takes the token", {
    hint: "docs/oidc.md has the settings by issuer",
    resultPrinted: true,
  });
}

// At a server the log has the cause. Here the operator may have misspelt the issuer, so that trying again does not help.
function withCause(error: unknown, { issuer, jwksUri: keys }: OidcIssuerOptions): unknown {
  if (!AgentAuthorityError.is(error) || error.code !== "unreachable") return error;
  const { cause } = error;
  const what = AgentAuthorityError.is(cause) ? cause.message : (errnoOf(cause) ?? String(cause));
  return new CliError("unreachable", `${error.message}: ${what}`, {
    cause: error,
    hint: `check ${keys === undefined ? `issuer (${issuer})` : `jwks_uri (${keys})`} of the configuration, and that this machine reaches it`,
    retryable: true,
  });
}
