import { type Command, Option } from "commander";
import { type Declare, INSECURE_HTTP } from "./declare.js";

const LOGIN_EXAMPLES = `
Examples:
  countersign login --authority https://authority.example --token-stdin <token.txt
  countersign login --authority https://authority.example --identity-jwt-stdin <identity.jwt
  countersign login --authority https://authority.example --device --issuer https://login.example --client-id countersign`;

/** Declares `login`, `logout`, `status` and `features`. */
export function declareLoginCommands(program: Command, declare: Declare): void {
  declare
    .command(
      program,
      "login",
      "keep a human's token, or an agent's identity JWT, for an authority",
      async () => {
        return (await import("../commands/login/login.js")).login;
      },
    )
    .option(
      "--authority <url>",
      "base URL of the authority (default: COUNTERSIGN_AUTHORITY, else the configuration's)",
    )
    .option("--account <id>", "account (default: from the token, else from the authority)")
    .option("--user <id>", "user (default: from the token, else from the authority)")
    .addOption(
      new Option(
        "--proof <form>",
        "how the human is proved when an agent registers (default: bearer)",
      ).choices(["bearer", "biscuit"]),
    )
    .option("--token-stdin", "read the token from stdin (default: COUNTERSIGN_ACCESS_TOKEN)")
    .option(
      "--ephemeral [life]",
      "for one job: its agent ends after this time (default: 1h), and is counted apart",
    )
    .option(
      "--identity-jwt-stdin",
      "read an agent's identity JWT from stdin instead, and verify it",
    )
    // Its older name, which scripts may hold.
    .addOption(new Option("--identity-token-stdin").implies({ identityJwtStdin: true }).hideHelp())
    .option(
      "--key-set <url|file>",
      "the JWK set of its issuer; a file is pinned (default: the authority's)",
    )
    .option("--device", "log in with an OpenID Connect issuer by a code that you confirm anywhere")
    .option("--issuer <url>", "of --device: the issuer, as the authority knows it")
    .option("--client-id <id>", "of --device: the client of the command line at that issuer")
    .option(
      "--client-secret <source>",
      "of --device: env:VAR or file:PATH, where the client has one",
    )
    .option("--scope <scopes>", "of --device: what to ask for (default: openid)")
    .option("--audience <api>", "of --device: ask for an access token for this API, by its name")
    .option("--resource <uri>", "of --device: the same by RFC 8707")
    .option(...INSECURE_HTTP)
    .addHelpText("after", LOGIN_EXAMPLES);
  declare
    .command(program, "logout", "forget the token; identities of the agent stay", async () => {
      return (await import("../commands/login/logout.js")).logout;
    })
    .option("--revoke", "end the login's agent at the authority first, and remove it here")
    .option(...INSECURE_HTTP);
  declare
    .command(program, "status", "tell what is set up here, without the network", async () => {
      return (await import("../commands/status.js")).status;
    })
    .option("--thread <id>", "thread to tell of (default: COUNTERSIGN_THREAD, else the scope cli)")
    .option(...INSECURE_HTTP);

  const features = declare.group(program, "features", "features and whether they are on");
  declare.command(
    features,
    "list",
    "list the features with stage, state and what decided it",
    async () => {
      return (await import("../commands/features.js")).listFeatures;
    },
  );
  declare.command(features, "enable <key>", "turn a feature on in config.toml", async () => {
    return (await import("../commands/features.js")).enableFeature;
  });
  declare.command(features, "disable <key>", "turn a feature off in config.toml", async () => {
    return (await import("../commands/features.js")).disableFeature;
  });
}
