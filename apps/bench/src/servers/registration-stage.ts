import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { startAuthority } from "./authority.ts";
import { requestText } from "./load-client.ts";
import { preparedRequests } from "./prepared-requests.ts";
import { taskRegistrations } from "./registrations.ts";
import { seedDatabase } from "./seeded-database.ts";
import type { ServerLoad } from "./server-contender.ts";
import type { Stage } from "./stage.ts";

const AGENTS = 64;
const TASKS = 10_000;
const READY = 8_000;
const CLIENT_ID = "client-1";

/** An authority on a database of tasks, by default 10,000, where 64 agents register more. */
export async function authorityLoad(
  stage: Stage,
  kind: "SQLite" | "PostgreSQL",
  connections: number,
  tasks = TASKS,
): Promise<ServerLoad> {
  const database = stage.own(await seedDatabase(kind, { tasks, knownAgents: AGENTS }));
  const server = stage.own(await startAuthority(database));
  const make = (count: number, offset: number) =>
    taskRegistrations(server.url, database.agents, count, offset);
  const generator = stage.generator();
  return { server, generator, connections, requests: preparedRequests(make, READY) };
}

/** oidc-provider, where a client that signs its assertions gets tokens. */
export async function tokenServerLoad(stage: Stage, connections: number): Promise<ServerLoad> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const jwk = JSON.stringify(publicKey.export({ format: "jwk" }));
  const server = await stage.program("token-server", jwk, CLIENT_ID);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = encode({ alg: "EdDSA" });

  function request(): string {
    const now = Math.floor(Date.now() / 1_000);
    const audience = { aud: server.url, iss: CLIENT_ID, sub: CLIENT_ID };
    const text = `${header}.${encode({ ...audience, jti: randomUUID(), iat: now, exp: now + 3_600 })}`;
    const signature = sign(null, Buffer.from(text), privateKey).toString("base64url");
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: `${text}.${signature}`,
    });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return requestText(server.url, "/token", headers, form.toString());
  }

  const make = (count: number) => Array.from({ length: count }, request);
  const generator = stage.generator();
  return { server, generator, connections, requests: preparedRequests(make, READY) };
}
