import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";
import { run } from "./test-database.js";

const PLACES = ["/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];

/** The path of PgBouncer on this machine; `undefined`: it is not installed. */
export const PGBOUNCER = PLACES.find((path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/** A database of one test's own, reached directly and through PgBouncer in transaction mode. */
export interface PooledDatabase {
  readonly direct: string;
  readonly pooled: string;
}

export interface PgBouncerOptions {
  /** It takes TLS alone, with a certificate that it signed itself. */
  readonly withTls?: boolean;
  /** Further lines of its configuration. */
  readonly lines?: readonly string[];
  /** The URL under which it reaches the server. Default: the server's own. */
  readonly reached?: string;
}

/**
 * Makes a database, and starts PgBouncer before it with two sessions of the server for all clients, so that transactions of one client run in
 * sessions that another has used.
 */
export async function startPgBouncer(
  program: string,
  { withTls = false, lines = [], reached = inject("postgresUrl") }: PgBouncerOptions = {},
): Promise<PooledDatabase> {
  const direct = new URL(inject("postgresUrl"));
  const server = new URL(reached);
  const name = `countersign_test_${randomUUID().replaceAll("-", "")}`;
  await run(direct.href, `create database ${name}`);
  onTestFinished(() => run(inject("postgresUrl"), `drop database if exists ${name} with (force)`));
  const folder = mkdtempSync(join(tmpdir(), "countersign-pgbouncer-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const config = join(folder, "pgbouncer.ini");
  const login = [`user=${server.username || "postgres"}`];
  if (server.password !== "") login.push(`password='${decodeURIComponent(server.password)}'`);
  writeFileSync(
    config,
    `[databases]
* = host=${server.searchParams.get("host") ?? server.hostname} port=${server.port || 5432} ${login.join(" ")}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
${[...lines, ...(withTls ? makeCertificate(folder) : [])].join("\n")}
`,
  );
  // PgBouncer refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chmodSync(folder, 0o755);
  const child = spawn(program, [...(isRoot ? ["-u", "nobody"] : []), config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  });
  let log = "";
  child.stderr.setEncoding("utf8");
  for await (const chunk of child.stderr) {
    log += chunk;
    if (log.includes("process up")) break;
  }
  if (!log.includes("process up")) throw new Error(`PgBouncer does not start: ${log}`);
  direct.pathname = `/${name}`;
  return { direct: direct.href, pooled: `postgres://authority@127.0.0.1:${port}/${name}` };
}

function makeCertificate(folder: string): string[] {
  const key = join(folder, "key.pem");
  const certificate = join(folder, "cert.pem");
  const made = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", "-subj", "/CN=localhost", ...made], { stdio: "ignore" });
  chmodSync(key, 0o644);
  return [
    "client_tls_sslmode = require",
    `client_tls_key_file = ${key}`,
    `client_tls_cert_file = ${certificate}`,
  ];
}

// PgBouncer takes no port 0.
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
