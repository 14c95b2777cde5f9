import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { findProgram } from "@countersign/testing";
import { expect, onTestFinished } from "vitest";

const DOCUMENT = new URL("../../../../docs/operating/gateway.md", import.meta.url);

/** A gateway, as a reverse proxy in front knows it. */
export interface FrontedGateway {
  readonly port: number;
  /** The one of its probes. */
  readonly operationsPort: number;
}

/** The reverse proxies of docs/operating/gateway.md. */
export const FRONTS = ["nginx", "haproxy"] as const;

/** One of {@link FRONTS}. */
export type FrontKind = (typeof FRONTS)[number];

/** Returns whether the program of a reverse proxy is on this machine. */
export function hasFront(kind: FrontKind): boolean {
  return findProgram(kind) !== undefined;
}

/**
 * Starts a reverse proxy with the configuration that docs/operating/gateway.md shows, before two gateways.
 *
 * @param folder - for its files and its socket
 * @returns the path of the Unix socket that it listens on, since it takes no free port by itself, and what it has logged
 */
export async function startFront(
  kind: FrontKind,
  folder: string,
  gateways: readonly [FrontedGateway, FrontedGateway],
): Promise<{ readonly socketPath: string; readonly log: () => string }> {
  const socketPath = join(folder, `${kind}.sock`);
  const config = join(folder, `${kind}.conf`);
  writeFileSync(config, configOf(kind, folder, socketPath, gateways));
  const args = {
    nginx: ["-e", "stderr", "-p", folder, "-c", config],
    haproxy: ["-db", "-f", config],
  };
  const child = spawn(findProgram(kind) ?? "", args[kind], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += chunk;
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  await expect.poll(() => isListening(socketPath), { message: said }).toBe(true);
  const log = () => (kind === "nginx" ? readFileSync(join(folder, "access.log"), "utf8") : printed);
  return { socketPath, log };
}

function configOf(
  kind: FrontKind,
  folder: string,
  socketPath: string,
  [a, b]: readonly [FrontedGateway, FrontedGateway],
): string {
  if (kind === "haproxy") {
    return shown("haproxy", {
      ":443 ssl crt /etc/haproxy/gateway.pem": `unix@${socketPath}`,
      "127.0.0.1:4700 port 4702": `127.0.0.1:${a.port} port ${a.operationsPort}`,
      "127.0.0.1:4710 port 4712": `127.0.0.1:${b.port} port ${b.operationsPort}`,
    });
  }
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => {
    mkdirSync(join(folder, name));
    return `${name}_temp_path ${join(folder, name)};`;
  });
  return [
    "daemon off;",
    // One process, which ends with its connections.
    "master_process off;",
    `pid ${folder}/nginx.pid;`,
    "events {}",
    "http {",
    ...temporary,
    shown("nginx", {
      "listen 443 ssl;": `listen unix:${socketPath};`,
      "/var/log/nginx/gateway.log": join(folder, "access.log"),
      "127.0.0.1:4700": `127.0.0.1:${a.port}`,
      "127.0.0.1:4710": `127.0.0.1:${b.port}`,
    }),
    "}",
  ].join("\n");
}

/** The only block of a language in the document, with other texts in places of its own: what is run is what people copy. */
function shown(language: string, replacements: Readonly<Record<string, string>>): string {
  const block = readFileSync(DOCUMENT, "utf8").split(`\`\`\`${language}\n`)[1]?.split("```")[0];
  if (block === undefined) throw new Error(`the document has no block of ${language}`);
  return Object.entries(replacements).reduce((done, [from, to]) => {
    if (!done.includes(from)) throw new Error(`the block of ${language} does not have: ${from}`);
    return done.replaceAll(from, to);
  }, block);
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
