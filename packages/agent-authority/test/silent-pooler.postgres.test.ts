import { AgentKey } from "@countersign/agent-key";
import { describe, expect, inject, it } from "vitest";
import { AgentAuthorityError, openStore } from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import { type SilentNetwork, startSilentNetwork } from "./silent-network.js";
import { TestedAuthority } from "./start-authority.js";
import { PGBOUNCER, startPgBouncer } from "./start-pgbouncer.js";

if (PGBOUNCER === undefined) {
  console.warn(
    "skipped: tests of a silent network with PgBouncer: it is not installed (Debian: apt-get install pgbouncer)",
  );
}

// PgBouncer gives up a connection to the server after 15 s, and makes the next one after another 15 s.
const LINES = ["server_connect_timeout = 1", "server_login_retry = 1"];

/** Where the network goes silent. */
const PLACES = ["between authority and PgBouncer", "between PgBouncer and PostgreSQL"] as const;

async function start(
  place: (typeof PLACES)[number],
): Promise<{ database: string; network: SilentNetwork }> {
  if (place === "between PgBouncer and PostgreSQL") {
    const network = await startSilentNetwork(inject("postgresUrl"));
    const options = { lines: LINES, reached: network.url };
    const { pooled } = await startPgBouncer(PGBOUNCER ?? "", options);
    return { database: `${pooled}?statement_timeout=500ms`, network };
  }
  const { pooled } = await startPgBouncer(PGBOUNCER ?? "", { lines: LINES });
  const network = await startSilentNetwork(pooled);
  return { database: `${network.url}?statement_timeout=500ms`, network };
}

describe.skipIf(PGBOUNCER === undefined).each(PLACES)("a network that goes silent %s", (place) => {
  it("has requests answered 503 with Retry-After, and they go on once it is back", async () => {
    const { database, network } = await start(place);
    await using tested = await TestedAuthority.start({ database });
    const token = await tested.token();
    const ask = (path: string) =>
      tested.call("GET", path, { headers: { authorization: `Bearer ${token}` } });
    expect((await ask("/readyz")).status).toBe(200);
    network.silence();
    const asked = [
      tested.registerAgent(token, AgentKey.generate()),
      ...["/readyz", "/v1/whoami", "/v1/whoami"].map(ask),
    ];
    for (const answer of await Promise.all(asked)) {
      expectRefusal(answer, 503, "server_error");
      expect(answer.headers["retry-after"]).toBe("1");
    }
    network.restore();
    await expect.poll(async () => (await ask("/readyz")).status, { interval: 100 }).toBe(200);
    expect((await tested.registerAgent(token, AgentKey.generate())).status).toBe(200);
  });

  it("has a registration answered 503 in the middle of its transaction, and repeated it is one", async () => {
    const { database, network } = await start(place);
    await using tested = await TestedAuthority.start({ database });
    const token = await tested.token();
    const key = AgentKey.generate();
    network.silenceAt("insert into");
    const answer = await tested.registerAgent(token, key);
    expectRefusal(answer, 503, "server_error");
    expect(answer.headers["retry-after"]).toBe("1");
    network.restore();
    await expect.poll(async () => (await tested.registerAgent(token, key)).status).toBe(200);
    expect(await tested.authority.registry.listAgents()).toHaveLength(1);
  });

  it("has openStore reject as unreachable in the middle of a migration", async () => {
    const { database, network } = await start(place);
    network.silenceAt("create table");
    const error = await openStore(database).catch((reason: unknown) => reason);
    expect(AgentAuthorityError.is(error) && [error.code, error.retryable]).toEqual([
      "unreachable",
      true,
    ]);
  });
});
