import type { Command } from "commander";
import type { Declare } from "./declare.js";

const ISSUE_EXAMPLES = `
The JWT holds the agent's private key: it is a key file, and every reader of it is the agent. Generation B must be served:
generations = ["A", "B", "C"] in the file of --config, or COUNTERSIGN_AUTHORITY_GENERATIONS=A,B,C.
Example:
  countersign authority identity issue --account acct-1 --user user-1 --config authority.toml > identity.jwt`;

/** Declares `authority identity …` and `authority keys …`: identity JWTs, and what signs them. */
export function declareAuthorityIdentityCommands(
  authority: Command,
  declare: Declare,
  database: string,
): void {
  const identity = declare.group(authority, "identity", "identity JWTs (generation B)");
  declare
    .command(
      identity,
      "issue",
      "make an agent and print the identity JWT that carries its key, alone",
      async () => (await import("../commands/authority/authority-identity.js")).issueIdentity,
    )
    .requiredOption("--account <id>", "account")
    .requiredOption("--user <id>", "user")
    .option("--email <address>", "email address in the JWT (default: none)")
    .option("--plan <name>", "plan in the JWT (default: unknown)")
    .option("--ttl <duration>", "how long the JWT and its agent live, such as 24h, 30d", "30d")
    .option("--issuer <text>", "issuer (default: what Codex requires)")
    .option("--audience <text>", "audience (default: what Codex requires)")
    .option("--config <file>", "the file of authority serve, which says whether B is served")
    .option("--database <url>", database)
    .addHelpText("after", ISSUE_EXAMPLES);

  const oidc = declare.group(authority, "oidc", "humans by OpenID Connect");
  declare
    .command(
      oidc,
      "check",
      "try the token on stdin against the issuers of the configuration, and say what fails",
      async () => (await import("../commands/authority/authority-oidc.js")).checkOidc,
    )
    .requiredOption("--config <file>", "the file of authority serve");

  const keys = declare.group(authority, "keys", "the keys that identity JWTs are signed with");
  declare
    .command(keys, "list", "list the signing keys", async () => {
      return (await import("../commands/authority/authority-keys.js")).listKeys;
    })
    .option("--database <url>", database);
  declare
    .command(
      keys,
      "rotate",
      "sign with a new key; the old one is published until the last JWT that it signed has ended",
      async () => (await import("../commands/authority/authority-keys.js")).rotateKey,
    )
    .option("--database <url>", database);
}
