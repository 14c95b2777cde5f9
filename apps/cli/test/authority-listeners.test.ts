import { once } from "node:events";
import { createServer } from "node:net";
import { AgentKey } from "@countersign/agent-key";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { contentOf, countersign, expectError } from "./command-line.js";
import { type ServerWorld, serverWorld } from "./servers.js";

const LISTEN = ["--listen", "127.0.0.1:0"];
let world: ServerWorld;

beforeEach(async () => {
  world = await serverWorld();
});

/** An address that is taken. */
async function takenAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

describe("the listener of the admin API", () => {
  test("rejects an address that is taken, makes no database, and leaves no other listener behind", async () => {
    const args = ["authority", "serve", ...LISTEN, "--admin-listen", await takenAddress()];
    const refused = await countersign(args, world);
    expectError(refused, "address_in_use", 1);
    expect(refused.stderr).toContain("another port with --admin-listen");
    expect(contentOf(world.folder.path)).toEqual({});
  });

  test("is not there unless it is asked for", async () => {
    const { url } = await world.serve();
    const authorization = `Bearer ${await world.createToken("read")}`;
    const response = await fetch(`${url}/v1/admin/agents`, { headers: { authorization } });
    expect(response.status).toBe(404);
  });

  test("is logged with the other, and serves only callers with a token for it", async () => {
    const { process, url } = await world.serve(["--admin-listen", "127.0.0.1:0"]);
    const [line] = await process.waitForLine(/"msg":"the authority serves"/);
    const started = process.stderr.split("\n").find((it) => it.includes("the authority serves"));
    const { admin } = JSON.parse(started ?? line);
    expect(admin).not.toBe(url);
    const ask = async (role: "read" | "human") => {
      const authorization = `Bearer ${await world.createToken(role)}`;
      return (await fetch(`${admin}/v1/admin/agents`, { headers: { authorization } })).status;
    };
    expect([await ask("human"), await ask("read")]).toEqual([401, 200]);
  });
});

test("an admin API that other machines can reach is warned of, and one on loopback is not", async () => {
  for (const [host, warns] of [
    ["127.0.0.1", false],
    ["0.0.0.0", true],
  ] as const) {
    const { process } = await world.serve(["--admin-listen", `${host}:0`]);
    await process.waitForLine(/"msg":"the authority serves"/);
    process.kill();
    await process.exited;
    expect(process.stderr.includes("the admin API can be reached from other machines")).toBe(warns);
  }
});

describe("the listener of operations", () => {
  test("rejects an address that is taken, and makes no database", async () => {
    const args = ["authority", "serve", ...LISTEN, "--operations-listen", await takenAddress()];
    const refused = await countersign(args, world);
    expectError(refused, "address_in_use", 1);
    expect(refused.stderr).toContain("another port with --operations-listen");
    expect(contentOf(world.folder.path)).toEqual({});
  });

  test("has the figures, which no other listener has", async () => {
    const { process, url } = await world.serve([
      "--operations-listen",
      "127.0.0.1:0",
      "--admin-listen",
      "127.0.0.1:0",
    ]);
    await process.waitForLine(/"msg":"the authority serves"/);
    const started = process.stderr.split("\n").find((it) => it.includes("the authority serves"));
    const { admin, operations } = JSON.parse(started ?? "");
    const figures = async () => (await fetch(`${operations}/metrics`)).text();
    expect((await fetch(`${operations}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/v1/whoami`)).status).toBe(401);
    await expect.poll(figures).toMatch(/code="unauthenticated"/);
    for (const other of [url, admin]) expect((await fetch(`${other}/metrics`)).status).toBe(404);
  });
});

test("a limit that a variable sets is held", async () => {
  const args = ["authority", "serve", ...LISTEN, ...world.onDatabase];
  const limit = { COUNTERSIGN_AUTHORITY_RATE_LIMITS_USER_PER_MINUTE: "1" };
  const { url } = await world.start(args, limit);
  const authorization = `Bearer ${await world.createToken()}`;
  const register = () =>
    fetch(`${url}/v1/agent/register`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({
        abom: { agent_version: "1", agent_harness_id: "test", running_location: "test" },
        agent_public_key: AgentKey.generate().publicKey.line,
        capabilities: [],
      }),
    });
  expect((await register()).status).toBe(200);
  const refused = await register();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
});
