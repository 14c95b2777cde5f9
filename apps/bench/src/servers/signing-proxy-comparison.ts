import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Comparison } from "../harness/row.ts";
import { COUNTERSIGN, startAuthority } from "./authority.ts";
import { requestText } from "./load-client.ts";
import { seedDatabase } from "./seeded-database.ts";
import { type ServerLoad, serverContender, warm } from "./server-contender.ts";
import { ServerProcess } from "./server-process.ts";
import { onStage } from "./stage.ts";

const CONNECTIONS = 16;
const WARM = 2_000;
const BODY = JSON.stringify({ model: "m", input: "x".repeat(1_000) });

/** Compares `countersign proxy` in a home where a human is logged in with a proxy whose credential never changes. */
export function compareSigningProxies(): Promise<Comparison> {
  return onStage(async (stage) => {
    const database = stage.own(await seedDatabase("SQLite", { tasks: 100, knownAgents: 1 }));
    const authority = stage.own(await startAuthority(database));
    const upstream = await stage.program("upstream");
    const home = await stage.folder();
    const token = randomBytes(32).toString("base64url");
    const tokenFile = join(home, "client.token");
    await writeFile(tokenFile, token, { mode: 0o600 });
    await login(home, authority.url, database.humanToken);

    const args = ["proxy", "--enable", "use_agent_identity", "--listen", "127.0.0.1:0"];
    args.push("--upstream", upstream.url, "--client-token-file", tokenFile);
    const env = { COUNTERSIGN_HOME: home };
    const withLogin = stage.own(await ServerProcess.start(COUNTERSIGN, args, { env }));
    const constant = await stage.proxyProgram("constant-signing-proxy", upstream.url, token);
    const generator = stage.generator();
    const load = (server: ServerProcess): ServerLoad => {
      const headers = {
        accept: "application/json",
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "x-thread-id": "thread-1",
      };
      const one = [requestText(server.url, "/v1/responses", headers, BODY)];
      return { server, generator, connections: CONNECTIONS, requests: () => one };
    };
    const [product, peer] = [load(withLogin), load(constant)];
    for (const each of [product, peer]) await warm(each, WARM);
    return {
      product: serverContender(product),
      peer: serverContender(peer),
      close: () => stage[Symbol.asyncDispose](),
    };
  });
}

async function login(home: string, authority: string, token: string): Promise<void> {
  const args = [COUNTERSIGN, "login", "--authority", authority, "--token-stdin"];
  const child = spawn(process.execPath, args, {
    stdio: ["pipe", "ignore", "inherit"],
    env: { ...process.env, COUNTERSIGN_HOME: home },
  });
  child.stdin.end(token);
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`countersign login ended with ${code}`);
}
