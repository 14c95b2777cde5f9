import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findProgram } from "@countersign/testing";
import { onTestFinished } from "vitest";
import { recipe } from "./recipe.js";

/** The path of nginx on this machine; `undefined`: it is not installed. */
export const NGINX = findProgram("nginx");

/** Options of {@link startNginx}. */
export interface NginxOptions {
  /** URLs of the authorizer and of the API. */
  readonly authorizer: string;
  readonly upstream: string;
  /** Lines for the `http` block. */
  readonly http?: string | undefined;
  /** Other texts for some of the recipe. */
  readonly changes?: Readonly<Record<string, string>> | undefined;
}

/** Starts nginx with the recipe of docs/authorize.md, on a Unix socket: nginx itself takes no free port. */
export async function startNginx(options: NginxOptions): Promise<{ readonly socketPath: string }> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-nginx-"));
  const socketPath = join(folder, "nginx.sock");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const lines = [
    "daemon off;",
    // One process, which ends with its connections.
    "master_process off;",
    `pid ${folder}/nginx.pid;`,
    "error_log stderr notice;",
    "events {}",
    "http {",
    "access_log off;",
    ...temporary.map((name) => `${name}_temp_path ${folder}/${name};`),
    options.http ?? "",
    recipe("nginx", {
      "listen 443 ssl;": `listen unix:${socketPath};`,
      "127.0.0.1:4702": new URL(options.authorizer).host,
      "127.0.0.1:8080": new URL(options.upstream).host,
      ...options.changes,
    }),
    "}",
  ];
  const config = join(folder, "nginx.conf");
  writeFileSync(config, lines.join("\n"));
  const child = spawn(NGINX ?? "", ["-e", "stderr", "-p", folder, "-c", config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const seen: string[] = [];
  const isListening = new Promise<void>((resolve, reject) => {
    createInterface(child.stderr).on("line", (line) => {
      seen.push(line);
      // The first notice comes after the sockets are open.
      if (/\[notice\].*: nginx\//.test(line)) resolve();
    });
    void ended.then(() => reject(new Error(`nginx ended: ${seen.join("\n")}`)));
  });
  await isListening;
  return { socketPath };
}
