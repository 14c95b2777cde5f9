import { type Command, Option } from "commander";
import {
  collect,
  type Declare,
  FORWARD_HEADER,
  IDLE_TIMEOUT,
  INSECURE_HTTP,
  OPERATIONS_LISTEN,
  RESPONSE_TIMEOUT,
} from "./declare.js";

const GATEWAY_EXAMPLES = `
Examples:
  countersign gateway --listen 127.0.0.1:4700 --authority http://127.0.0.1:4600 --upstream http://127.0.0.1:8080
  countersign gateway --listen 0.0.0.0:4700 --account acct-1 --upstream https://api.example \\
    --authority https://authority.example --authority-token file:/run/secrets/authority \\
    --upstream-header 'Authorization: file:/run/secrets/api' \\
    --binding require --public-url https://gateway.example --replay-store memory
SIGHUP reads the files of --upstream-header again; SIGTERM ends what is open and then the gateway.`;

const VERIFY_EXAMPLES = `
Examples:
  countersign header | countersign verify --authority http://127.0.0.1:4600
  countersign verify 'AgentAssertion eyJ…' --keys keys.json --now 2026-04-15T17:08:09Z`;

/** Declares `gateway` and `verify`: what a resource server does. */
export function declareServerCommands(program: Command, declare: Declare): void {
  declare
    .command(program, "gateway", "verify requests and pass them on to an upstream", async () => {
      return (await import("../commands/gateway.js")).gateway;
    })
    .requiredOption("--listen <host:port>", "address to listen on; port 0 takes a free one")
    .requiredOption("--upstream <url>", "base URL of the API behind the gateway")
    .option("--authority <url>", "authority whose agents are verified, asked through its directory")
    .option("--authority-token <source>", "token of role resource_server: env:VAR or file:PATH")
    .option("--database <url>", "the authority's own database instead: sqlite:FILE")
    .option("--account <id>", "serve this account (may be repeated)", collect)
    .option("--any-account", "serve every account of the authority (default on loopback)")
    .option(
      "--upstream-header <header>",
      "the upstream's own credential: 'Name: env:VAR' or 'Name: file:PATH' (may be repeated)",
      collect,
    )
    .option(...FORWARD_HEADER)
    .option(
      "--trusted-proxy <network>",
      "believe X-Forwarded-For of this address or network: the proxy in front (may be repeated; default: COUNTERSIGN_TRUSTED_PROXIES)",
      collect,
    )
    .option("--audit <file>", "append one JSON line for each request to this file")
    .option(...RESPONSE_TIMEOUT)
    .option(...IDLE_TIMEOUT)
    .option(...OPERATIONS_LISTEN)
    .option(
      "--public-url <url>",
      "the URL under which callers reach the gateway's root, for request binding",
    )
    .addOption(
      new Option(
        "--binding <policy>",
        "requests that are bound to their assertion: not looked at, checked, or a must (default: off)",
      ).choices(["off", "accept", "require"]),
    )
    .addOption(
      new Option(
        "--replay-store <store>",
        "where nonces of bound requests are spent: this process's memory, or the --database",
      ).choices(["memory", "database"]),
    )
    .option(
      "--revocation-delay <duration>",
      "how long a revocation may go unnoticed, 0s to 30s (default 15s)",
    )
    .option(...INSECURE_HTTP)
    .addHelpText("after", GATEWAY_EXAMPLES);

  declare
    .command(
      program,
      "verify [header]",
      "take an assertion apart and check it; - or nothing reads stdin",
      async () => {
        return (await import("../commands/verify.js")).verify;
      },
    )
    .option("--authority <url>", "authority to ask, through its directory")
    .option("--authority-token <source>", "token of role resource_server: env:VAR or file:PATH")
    .option("--database <url>", "the authority's own database: sqlite:FILE")
    .option("--keys <file>", "JSON file with the members agents and tasks")
    .option("--now <time>", "the clock to check with, such as 2026-04-15T17:08:09Z (default: now)")
    .option(...INSECURE_HTTP)
    .addHelpText("after", VERIFY_EXAMPLES);
}
