import { AgentKey } from "@countersign/agent-key";
import { sql } from "kysely";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentAuthorityError, createRegistry, openStore } from "../src/index.js";
import { TestedAuthority } from "./start-authority.js";
import {
  PGBOUNCER,
  type PgBouncerOptions,
  type PooledDatabase,
  startPgBouncer,
} from "./start-pgbouncer.js";
import { run } from "./test-database.js";

if (PGBOUNCER === undefined) {
  console.warn(
    "skipped: tests with PgBouncer: it is not installed (Debian: apt-get install pgbouncer)",
  );
}

async function start(options?: PgBouncerOptions): Promise<PooledDatabase> {
  return await startPgBouncer(PGBOUNCER ?? "", options);
}

describe.skipIf(PGBOUNCER === undefined)(
  "an authority behind PgBouncer in transaction mode",
  () => {
    it("is refused with the parameter of the URL that the pooler does not keep", async () => {
      const { pooled } = await start();
      const url = `${pooled}?options=${encodeURIComponent("-c search_path=public")}`;
      const error = await openStore(url).catch((reason) => reason);
      expect(AgentAuthorityError.is(error) && error.code).toBe("config_invalid");
      expect(error.message).toContain("options");
    });

    it("says what is wrong with TLS: it is not offered, or the certificate is not trusted", async () => {
      for (const [withTls, says] of [
        [false, "does not offer TLS"],
        [true, "DEPTH_ZERO_SELF_SIGNED_CERT"],
      ] as const) {
        const { pooled } = await start({ withTls });
        const error = await openStore(`${pooled}?sslmode=verify-full`).catch((reason) => reason);
        expect(AgentAuthorityError.is(error) && [error.code, error.retryable]).toEqual([
          "unreachable",
          false,
        ]);
        expect(error.message).toContain(says);
        expect(error.hint).toContain("sslrootcert");
      }
    });

    it("is opened by several stores at once, and serves registrations side by side", async () => {
      const { pooled } = await start();
      const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(pooled)));
      await Promise.all(stores.map((store) => store.close()));
      await using tested = await TestedAuthority.start({ database: pooled });
      const token = await tested.token("human", "user-1");
      const statuses = await Promise.all(
        Array.from({ length: 24 }, async () => {
          const key = AgentKey.generate();
          const { body } = await tested.registerAgent(token, key);
          return (await tested.registerTask(body.agent_runtime_id, key)).status;
        }),
      );
      expect(statuses).toEqual(Array.from({ length: 24 }, () => 200));
      expect(await tested.authority.registry.listAgents()).toHaveLength(24);
      expect(await tested.authority.isReady()).toBe(true);
    });

    it("has its settings in each statement and transaction, and leaves none to the next client", async () => {
      const { direct, pooled } = await start();
      const name = new URL(direct).pathname.slice(1);
      await run(
        direct,
        `alter database ${name} set synchronous_commit = off; alter database ${name} set default_transaction_isolation = serializable`,
      );
      await using store = await openStore(pooled);
      const settings = sql<Record<string, string>>`select
      current_setting('synchronous_commit') as durable, current_setting('transaction_isolation') as isolation,
      current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`;
      const ours = { durable: "on", isolation: "read committed", statement: "30s", lock: "5s" };
      expect((await settings.execute(store.rows)).rows).toEqual([ours]);
      expect((await store.transaction((rows) => settings.execute(rows))).rows).toEqual([ours]);
      // Fails if a session of the server kept one.
      const check = "do $$ begin assert current_setting('lock_timeout') = '0'; end $$";
      for (let session = 0; session < 4; session += 1) await run(pooled, check);
    });

    it("has the URL's time-outs, which the pooler would not keep as start-up parameters", async () => {
      const { pooled } = await start();
      const timeouts = {
        lock_timeout: "2s",
        statement_timeout: "3min",
        idle_in_transaction_session_timeout: "4500ms",
      };
      await using store = await openStore(`${pooled}?${new URLSearchParams(timeouts)}`);
      const settings = sql<typeof timeouts>`select current_setting('lock_timeout') as lock_timeout,
        current_setting('statement_timeout') as statement_timeout,
        current_setting('idle_in_transaction_session_timeout') as idle_in_transaction_session_timeout`;
      expect((await settings.execute(store.rows)).rows).toEqual([timeouts]);
      expect((await store.transaction((rows) => settings.execute(rows))).rows).toEqual([timeouts]);
      const odd = `${pooled}?lock_timeout=${encodeURIComponent("1'; select 1 / 0; --")}`;
      const error = await openStore(odd).catch((reason) => reason);
      expect(AgentAuthorityError.is(error) && error.code).toBe("config_invalid");
      expect(error.message).toContain('"lock_timeout"');
    });

    it("answers 503 while the pooler has no session for it, and goes on when there is one", async () => {
      const { pooled } = await start();
      await using tested = await TestedAuthority.start({ database: pooled });
      const token = await tested.token();
      const authorization = `Bearer ${token}`;
      const statuses = () =>
        Promise.all(
          ["/readyz", "/v1/whoami", "/v1/whoami"].map(
            async (path) => (await tested.call("GET", path, { headers: { authorization } })).status,
          ),
        );
      expect(await statuses()).toEqual([200, 200, 200]);
      // All sessions that the pooler has: as when PostgreSQL is away, the next client waits.
      const holders = [new Client(pooled), new Client(pooled)];
      onTestFinished(async () => {
        for (const holder of holders) await holder.end();
      });
      for (const holder of holders) {
        await holder.connect();
        await holder.query("begin");
      }
      // With a connection that there is, and with new ones.
      const registrations = Array.from({ length: 4 }, async () => {
        const { status } = await tested.registerAgent(token, AgentKey.generate());
        return status;
      });
      expect(await statuses()).toEqual([503, 503, 503]);
      expect(await Promise.all(registrations)).toEqual([503, 503, 503, 503]);
      for (const holder of holders) await holder.query("rollback");
      expect(await statuses()).toEqual([200, 200, 200]);
    });

    it("goes on after a statement that failed", async () => {
      const { pooled } = await start();
      await using store = await openStore(pooled);
      await expect(sql`select 1 / 0`.execute(store.rows)).rejects.toThrow("division by zero");
      await expect(store.transaction((rows) => sql`select 1 / 0`.execute(rows))).rejects.toThrow(
        "division by zero",
      );
      expect(await createRegistry(store).listAgents()).toEqual([]);
    });
  },
);
