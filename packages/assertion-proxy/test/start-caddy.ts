import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findProgram } from "@countersign/testing";
import { onTestFinished } from "vitest";
import { recipe } from "./recipe.js";

/** The path of Caddy on this machine; `undefined`: it is not installed. */
export const CADDY = findProgram("caddy");

/** Starts Caddy with the recipe of docs/authorize.md, on a Unix socket. */
export async function startCaddy(options: {
  readonly authorizer: string;
  readonly upstream: string;
}): Promise<{ readonly socketPath: string }> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-caddy-"));
  const socketPath = join(folder, "caddy.sock");
  const lines = [
    "{\n\tadmin off\n\tauto_https off\n}",
    recipe("caddyfile", {
      "api.example {": `http://gateway.example {\n\tbind unix/${socketPath}`,
      "127.0.0.1:4702": new URL(options.authorizer).host,
      "127.0.0.1:8080": new URL(options.upstream).host,
    }),
  ];
  const config = join(folder, "Caddyfile");
  writeFileSync(config, lines.join("\n"));
  const child = spawn(CADDY ?? "", ["run", "--adapter", "caddyfile", "--config", config], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stderr).on("line", (line) => {
      seen.push(line);
      if (line.includes("serving initial configuration")) resolve();
    });
    void ended.then(() => reject(new Error(`Caddy ended: ${seen.join("\n")}`)));
  });
  return { socketPath };
}
