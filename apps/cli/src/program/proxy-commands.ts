import type { Command } from "commander";
import {
  AUDIT,
  auditFailure,
  BEARER_ORIGIN,
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

const EXAMPLES = `
Every program that may use the proxy acts as this machine's agent. On an address its clients present the client token as
"Authorization: Bearer", "x-api-key", "api-key" or "x-goog-api-key", as clients do with their API key, and never in the URL; on a
socket they present nothing.

Examples:
  countersign proxy --listen 127.0.0.1:4800 --upstream https://gateway.example
  OPENAI_BASE_URL=http://127.0.0.1:4800/v1 OPENAI_API_KEY="$(countersign proxy token)" python agent.py
  countersign proxy --socket ~/.countersign/run/proxy.sock --upstream https://gateway.example
  curl --unix-socket ~/.countersign/run/proxy.sock http://localhost/v1/models`;

/** Declares `proxy` and `proxy token`: how programs in any language become the agent. */
export function declareProxyCommands(program: Command, declare: Declare): void {
  const proxy = declare
    .command(
      program,
      "proxy",
      "sign the requests of local programs and pass them on to an upstream",
      async () => (await import("../commands/proxy.js")).proxy,
    )
    .usage("--listen HOST:PORT --upstream URL [options]")
    .option("--listen <host:port>", "address to listen on; port 0 takes a free one")
    .option("--socket <path>", "Unix socket to listen on, in a folder of your own with mode 0700")
    .option("--upstream <url>", "base URL of the API that requests go to, the only one signed for")
    .option(
      "--client-token-file <file>",
      "file with the token that clients present (default: proxy.token in the home, made once)",
    )
    .option("--open", "ask for no token: every program of this machine may act as its agent")
    .option(
      "--thread-header <name>",
      "header that names a request's thread (may be repeated; default: x-thread-id, then session_id)",
      collect,
    )
    .option(...BEARER_ORIGIN)
    .option(...FORWARD_HEADER)
    .option("--allow-remote", "allow to listen where other machines can reach it")
    .option(
      "--allow-host <host[:port]>",
      "serve clients that reach the proxy under this name too, such as host.docker.internal or localhost:8080 (may be repeated)",
      collect,
    )
    .option("--binding", "sign method, URL and body too; bodies are then read whole first")
    .option(...AUDIT)
    .addOption(auditFailure())
    .option(
      "--max-threads <count>",
      "threads to keep, 1 to 100000; the one that is idle for longest makes room (default 1000)",
    )
    .option(
      "--replay-body-bytes <bytes>",
      "longest body that is kept to be sent again after a 401, 0 to 1073741824 (default 1048576)",
    )
    .option(...RESPONSE_TIMEOUT)
    .option(...IDLE_TIMEOUT)
    .option(...OPERATIONS_LISTEN)
    .option(...DRAIN_DELAY)
    .option(...DRAIN_TIMEOUT)
    .option(...INSECURE_HTTP)
    .addHelpText("after", EXAMPLES);
  declare.command(
    proxy,
    "token",
    "print the client token alone; made if it is not there",
    async () => (await import("../commands/proxy-token.js")).proxyToken,
  );
}
