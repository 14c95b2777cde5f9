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

/**
 * Makes a database, and starts PgBouncer before it with two sessions of the server for all clients, so that transactions of one client run in
 * sessions that another has used.
 *
 * @param options - `withTls`: it takes TLS alone, with a certificate that it signed itself
 */
export async function startPgBouncer(
  program: string,
  { withTls = false } = {},
): Promise<PooledDatabase> {
  const server = new URL(inject("postgresUrl"));
  const name = `countersign_test_${randomUUID().replaceAll("-", "")}`;
  await run(server.href, `create database ${name}`);
  onTestFinished(() => run(server.href, `drop database if exists ${name} with (force)`));
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
${withTls ? makeCertificate(folder) : ""}
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
  const direct = new URL(server);
  direct.pathname = `/${name}`;
  return { direct: direct.href, pooled: `postgres://authority@127.0.0.1:${port}/${name}` };
}

function makeCertificate(folder: string): string {
  const key = join(folder, "key.pem");
  const certificate = join(folder, "cert.pem");
  const made = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", "-subj", "/CN=localhost", ...made], { stdio: "ignore" });
  chmodSync(key, 0o644);
  return `client_tls_sslmode = require\nclient_tls_key_file = ${key}\nclient_tls_cert_file = ${certificate}`;
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
