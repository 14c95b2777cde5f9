import { type Command, Option } from "commander";
import {
  AUDIT,
  auditFailure,
  collect,
  type Declare,
  DRAIN_DELAY,
  DRAIN_TIMEOUT,
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
  countersign gateway --config /etc/countersign/gateway.toml
SIGHUP reads the files of --upstream-header, --authority-token and --token-keys again and opens the file of --audit; SIGTERM ends what is open and then the gateway.`;

const VERIFY_EXAMPLES = `
Examples:
  countersign header | countersign verify --authority http://127.0.0.1:4600
  countersign verify 'AgentAssertion eyJ…' --keys keys.json --now 2026-04-15T17:08:09Z`;

const AUTHORIZE_EXAMPLES = `
Examples:
  countersign authorize --gateway nginx --listen 127.0.0.1:4702 --account acct-1 --authority http://127.0.0.1:4600
  countersign authorize --gateway envoy --listen 0.0.0.0:4702 --gateway-token file:/run/secrets/gateway --account acct-1 \\
    --authority https://authority.example --authority-token file:/run/secrets/authority
How each gateway is configured is in docs/authorize.md.`;

// What `gateway` and `authorize` verify by, and whom they serve.
const AUTHORITY = [
  "--authority <url>",
  "authority whose agents are verified, asked through its directory",
] as const;
const AUTHORITY_TOKEN = [
  "--authority-token <source>",
  "token of role resource_server: env:VAR or file:PATH",
] as const;
const DATABASE = [
  "--database <url>",
  "the authority's own database instead: sqlite:FILE, postgres://… without a password, env:VAR or file:PATH",
] as const;
const ACCOUNT = ["--account <id>", "serve this account (may be repeated)", collect] as const;
const ANY_ACCOUNT = [
  "--any-account",
  "serve every account of the authority (default on loopback)",
] as const;
const ANY_ACCOUNT_BY_NAME = [
  ANY_ACCOUNT[0],
  "serve every account of the authority; this or --account is required",
] as const;
const TRUSTED_PROXY = [
  "--trusted-proxy <network>",
  "believe X-Forwarded-For of this address or network: the proxy in front (may be repeated; default: COUNTERSIGN_TRUSTED_PROXIES)",
  collect,
] as const;
const AUDIENCE = [
  "--audience <name>",
  "sign who the caller is, for the upstream of this name, in x-agent-caller-token; its keys: /.well-known/jwks.json of --operations-listen",
] as const;
const TOKEN_ISSUER = [
  "--token-issuer <name>",
  "the gateway's name in these tokens (default: countersign)",
] as const;
const TOKEN_KEYS = [
  "--token-keys <file>",
  "Ed25519 keys in PEM that several processes share, the first one signs (default: keys of this process, a new one each day)",
] as const;
const PUBLIC_URL = [
  "--public-url <url>",
  "the URL under which callers reach the gateway's root, for request binding",
] as const;
const REVOCATION_DELAY = [
  "--revocation-delay <duration>",
  "how long a revocation may go unnoticed, 0s to 30s (default 15s)",
] as const;

const OUTAGE_WINDOW = [
  "--outage-window <duration>",
  "how long agents and tasks that are known are served while no authority answers, 0s to 1h (default 300s); a revocation goes unnoticed for so long then",
] as const;

const USE_REPORT_INTERVAL = [
  "--use-report-interval <duration>",
  "how often the authority is told which agents were used, 0s (never) to 1h (default 60s)",
] as const;

function bindingPolicy(): Option {
  return new Option(
    "--binding <policy>",
    "requests that are bound to their assertion: not looked at, checked, or a must (default: off)",
  ).choices(["off", "accept", "require"]);
}

function logLevel(): Option {
  return new Option(
    "--log-level <level>",
    "write stderr as a log, JSON lines or words on a terminal, down to this level (default: notes and warnings as text)",
  ).choices(["debug", "info", "warn", "error", "silent"]);
}

function replayStore(): Option {
  return new Option(
    "--replay-store <store>",
    "where nonces of bound requests are spent: this process's memory, or the --database",
  ).choices(["memory", "database"]);
}

/** Declares `gateway`, `authorize` and `verify`: what a resource server does. */
export function declareServerCommands(program: Command, declare: Declare): void {
  declare
    .command(program, "gateway", "verify requests and pass them on to an upstream", async () => {
      return (await import("../commands/gateway.js")).gateway;
    })
    .option("--config <file>", "TOML file with all settings (docs/operating/gateway.toml)")
    .option("--listen <host:port>", "address to listen on; port 0 takes a free one")
    .option("--upstream <url>", "base URL of the API behind the gateway")
    .option(...AUTHORITY)
    .option(...AUTHORITY_TOKEN)
    .option(...DATABASE)
    .option(...ACCOUNT)
    .option(...ANY_ACCOUNT)
    .option(
      "--upstream-header <header>",
      "the upstream's own credential: 'Name: env:VAR' or 'Name: file:PATH' (may be repeated)",
      collect,
    )
    .option(...FORWARD_HEADER)
    .option(...TRUSTED_PROXY)
    .option(...AUDIT)
    .addOption(auditFailure())
    .option(...RESPONSE_TIMEOUT)
    .option(...IDLE_TIMEOUT)
    .option(...OPERATIONS_LISTEN)
    .option(...DRAIN_DELAY)
    .option(...DRAIN_TIMEOUT)
    .addOption(logLevel())
    .option(...AUDIENCE)
    .option(...TOKEN_ISSUER)
    .option(...TOKEN_KEYS)
    .option(...PUBLIC_URL)
    .addOption(bindingPolicy())
    .addOption(replayStore())
    .option(...REVOCATION_DELAY)
    .option(...OUTAGE_WINDOW)
    .option(...USE_REPORT_INTERVAL)
    .option(...INSECURE_HTTP)
    .addHelpText("after", GATEWAY_EXAMPLES);

  declare
    .command(
      program,
      "authorize",
      "tell a gateway that you already have which requests may pass",
      async () => (await import("../commands/authorize.js")).authorize,
    )
    .usage("--gateway KIND (--listen HOST:PORT | --socket PATH) [options]")
    .addOption(
      new Option(
        "--gateway <kind>",
        "the gateway that asks: it decides from which fields method and target are taken",
      )
        .choices(["nginx", "caddy", "traefik", "envoy", "agentgateway"])
        .makeOptionMandatory(),
    )
    .option("--listen <host:port>", "address to listen on; port 0 takes a free one")
    .option("--socket <path>", "Unix socket to listen on, in a folder of your own with mode 0700")
    .option(
      "--gateway-token <source>",
      "the token that the gateway presents in X-Gateway-Token: env:VAR or file:PATH; a must where other machines can ask",
    )
    .option(
      "--hands-over-bodies",
      "the gateway sends the whole body of each request with its question, for request binding",
    )
    .option(...AUTHORITY)
    .option(...AUTHORITY_TOKEN)
    .option(...DATABASE)
    .option(...ACCOUNT)
    .option(...ANY_ACCOUNT_BY_NAME)
    .option(...TRUSTED_PROXY)
    .option(...AUDIT)
    .addOption(auditFailure())
    .option(...OPERATIONS_LISTEN)
    .option(...DRAIN_DELAY)
    .option(...DRAIN_TIMEOUT)
    .option(...AUDIENCE)
    .option(...TOKEN_ISSUER)
    .option(...TOKEN_KEYS)
    .option(...PUBLIC_URL)
    .addOption(bindingPolicy())
    .addOption(replayStore())
    .option(...REVOCATION_DELAY)
    .option(...OUTAGE_WINDOW)
    .option(...USE_REPORT_INTERVAL)
    .option(...INSECURE_HTTP)
    .addHelpText("after", AUTHORIZE_EXAMPLES);

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
    .option(
      "--database <url>",
      "the authority's own database: sqlite:FILE, postgres://… without a password, env:VAR or file:PATH",
    )
    .option("--keys <file>", "JSON file with the members agents and tasks")
    .option("--now <time>", "the clock to check with, such as 2026-04-15T17:08:09Z (default: now)")
    .option(...INSECURE_HTTP)
    .addHelpText("after", VERIFY_EXAMPLES);
}
