import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { sql } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentAuthorityError, createAuthority, createRegistry, openStore } from "../src/index.js";
import { tryStore } from "../src/store/try-store.js";
import { expectRefusal } from "./expect-refusal.js";
import { runProgram } from "./run-process.js";
import { TestedAuthority } from "./start-authority.js";
import { createTestDatabase, run } from "./test-database.js";

async function createDatabase(): Promise<string> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

function withPart(url: string, change: (parts: URL) => void): string {
  const parts = new URL(url);
  change(parts);
  return parts.href;
}

describe("openStore on PostgreSQL", () => {
  it("rejects a server that does not answer, as a temporary error", async () => {
    const url = withPart(await createDatabase(), (parts) => {
      parts.port = "1";
    });
    const error = await openStore(url).catch((reason: unknown) => reason);
    expect(AgentAuthorityError.is(error) && [error.code, error.retryable]).toEqual([
      "unreachable",
      true,
    ]);
  });

  it("rejects a database that takes no writes, such as a standby's, as a temporary error", async () => {
    const url = withPart(await createDatabase(), ({ searchParams }) => {
      const options = `${searchParams.get("options")} -c default_transaction_read_only=on`;
      searchParams.set("options", options);
    });
    const error = await openStore(url).catch((reason: unknown) => reason);
    expect(AgentAuthorityError.is(error) && [error.code, error.retryable, error.message]).toEqual([
      "unreachable",
      true,
      "the database takes no writes",
    ]);
  });

  it("rejects a database and a user that are not there, and does not repeat the password", async () => {
    const url = await createDatabase();
    for (const change of [
      (parts: URL) => {
        parts.pathname = "/countersign_not_there";
      },
      (parts: URL) => {
        parts.username = "countersign_not_there";
        parts.password = "hunter2";
      },
    ]) {
      const error = await openStore(withPart(url, change)).catch((reason: unknown) => reason);
      expect(AgentAuthorityError.is(error) && error.code).toBe("store_denied");
      expect(String(error)).not.toContain("hunter2");
    }
  });

  it.each([
    "postgres://u@a.example:5432,b.example:5432/x",
    "postgres://u@a.example,b.example/x",
    "postgres:///x?host=a.example,b.example",
  ])("rejects several hosts: %s", async (url) => {
    const error = await openStore(url).catch((reason) => reason);
    expect(AgentAuthorityError.is(error) && error.code).toBe("config_invalid");
    expect(error.message).toContain("several hosts");
  });

  it("rejects a certificate file that is not there, as a fault of the URL", async () => {
    const url = withPart(await createDatabase(), ({ searchParams }) => {
      searchParams.set("sslrootcert", "/does/not/exist");
    });
    await expectRejection(openStore(url), AgentAuthorityError, "config_invalid");
  });

  // What is wrong is said of the socket: no form is taken for a host or for no URL.
  it.each([
    "postgres://u@%2Fdoes%2Fnot%2Fexist/x",
    "postgres://u@/x?host=/does/not/exist",
    "postgres:///x?host=/does/not/exist&user=u",
  ])("takes the folder of a socket: %s", async (url) => {
    const error = await openStore(url).catch((reason) => reason);
    expect(AgentAuthorityError.is(error) && error.code).toBe("unreachable");
    expect(error.cause).toMatchObject({ address: "/does/not/exist/.s.PGSQL.5432" });
  });

  it("rejects a password that cannot be read, and asks for it at each connection", async () => {
    // With a server that wants one: what PostgreSQL is told of is not looked at before.
    const asked: string[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => {});
      // An `AuthenticationCleartextPassword`, then whatever it is answered with.
      socket.once("data", () => {
        socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
        socket.once("data", (data) => {
          asked.push(data.toString("latin1", 5, data.length - 1));
          socket.destroy();
        });
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const url = `postgres://u@127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    for (const password of ["first", "second"]) {
      await expectRejection(
        openStore(url, { password: () => password }),
        AgentAuthorityError,
        "unreachable",
      );
    }
    expect(asked).toEqual(["first", "second"]);
    const password = () => Promise.reject(new Error("no such file"));
    await expectRejection(openStore(url, { password }), AgentAuthorityError, "store_denied");
  });

  it("rejects a search path without a schema", async () => {
    const url = withPart(await createDatabase(), (parts) => {
      parts.searchParams.set("options", "-c search_path=countersign_not_there");
    });
    await expectRejection(openStore(url), AgentAuthorityError, "config_invalid");
  });

  it("rejects another program's tables and leaves them alone", async () => {
    const url = await createDatabase();
    await run(url, "create table agents (name text)");
    await expectRejection(openStore(url), AgentAuthorityError, "store_corrupt");
    await run(url, "insert into agents (name) values ('still here')");
  });

  it("rejects a database of a newer version", async () => {
    const url = await createDatabase();
    await (await openStore(url)).close();
    await run(
      url,
      "insert into countersign_migration values ('9999_future', '2099-01-01T00:00:00.000Z')",
    );
    await expectRejection(openStore(url), AgentAuthorityError, "store_corrupt");
  });

  it("describes itself without password and parameters", async () => {
    const url = withPart(await createDatabase(), (parts) => {
      parts.password = "hunter2";
    });
    await using store = await openStore(url);
    expect(store.description).toMatch(/^postgres:\/\/[^:@]+@[^?]+$/);
  });

  it("acknowledges nothing that is not on disk, also where the server is set to", async () => {
    const url = withPart(await createDatabase(), (parts) => {
      const options = parts.searchParams.get("options") ?? "";
      parts.searchParams.set("options", `${options} -c synchronous_commit=off`);
    });
    await using store = await openStore(url);
    const { rows } = await sql<{
      on: string;
    }>`select current_setting('synchronous_commit') as "on"`.execute(store.rows);
    expect(rows).toEqual([{ on: "on" }]);
  });

  it("runs on read committed, and again after a lost race, also where the server's default is serializable", async () => {
    const url = withPart(await createDatabase(), (parts) => {
      const options = parts.searchParams.get("options") ?? "";
      parts.searchParams.set("options", `${options} -c default_transaction_isolation=serializable`);
    });
    await using store = await openStore(url);
    const { rows } = await sql<{
      level: string;
    }>`select current_setting('transaction_isolation') as level`.execute(store.rows);
    expect(rows).toEqual([{ level: "read committed" }]);
    for (const state of ["40001", "40P01"]) {
      let attempts = 0;
      const value = await store.transaction(async (transaction) => {
        attempts += 1;
        if (attempts === 1) {
          await sql`do ${sql.lit(`begin raise exception using errcode = '${state}'; end`)}`.execute(
            transaction,
          );
        }
        return attempts;
      });
      expect(value).toBe(2);
    }
  });

  it("goes on when the server ends its connections between two queries", async () => {
    const url = await createDatabase();
    await using store = await openStore(url);
    const registry = createRegistry(store);
    await Promise.all(Array.from({ length: 5 }, () => registry.listAgents()));
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(store.rows);
    await run(url, `select pg_terminate_backend(${rows[0]?.pid}, 5000)`);
    await expect.poll(() => registry.listAgents().catch(() => "not yet")).toEqual([]);
  });

  it("may be opened for the first time by many processes at the same moment", async () => {
    const url = await createDatabase();
    const counts = await Promise.all(
      Array.from({ length: 6 }, () => runProgram("operator", url, "create-tokens", "5")),
    );
    expect(counts).toEqual(Array.from({ length: 6 }, () => 5));
  });

  it("is opened while schemas of others come and go", async () => {
    const url = await createDatabase();
    let isOver = false;
    const others = Array.from({ length: 3 }, async (_, index) => {
      const schema = `countersign_test_other_${process.pid}_${index}`;
      while (!isOver) {
        await run(url, `create schema ${schema}; create table ${schema}.t (id serial)`);
        await run(url, `set client_min_messages = error; drop schema ${schema} cascade`);
      }
    });
    try {
      for (let count = 0; count < 20; count += 1) await (await openStore(url)).close();
    } finally {
      isOver = true;
      await Promise.all(others);
    }
  });

  it("answers 503 and is not ready while its user may not write, and goes on after", async () => {
    const url = await createDatabase();
    const role = `countersign_test_${randomUUID().replaceAll("-", "")}`;
    await (await openStore(url)).close();
    const schema = new URL(url).searchParams.get("options")?.split("=")[1];
    await run(
      url,
      `create role ${role} login superuser; grant usage on schema ${schema} to ${role};
      alter role ${role} in database ${new URL(url).pathname.slice(1)} set search_path = ${schema}`,
    );
    onTestFinished(() => run(url, `drop owned by ${role}; drop role ${role}`));
    const asRole = withPart(url, (parts) => {
      parts.username = role;
    });
    await using tested = await TestedAuthority.start({ database: asRole });
    const token = await tested.token();
    expect((await tested.call("GET", "/readyz")).status).toBe(200);
    await run(url, `alter role ${role} nosuperuser`);
    const answer = await tested.registerAgent(token, AgentKey.generate());
    expectRefusal(answer, 503, "server_error");
    expect(answer.headers["retry-after"]).toBe("1");
    expectRefusal(await tested.call("GET", "/readyz"), 503, "server_error");
    await run(url, `alter role ${role} superuser`);
    expect((await tested.call("GET", "/readyz")).status).toBe(200);
  });

  it("answers 503 and is not ready while its schema or a table cannot be used, and goes on after", async () => {
    const url = await createDatabase();
    const role = `countersign_test_${randomUUID().replaceAll("-", "")}`;
    await (await openStore(url)).close();
    const schema = new URL(url).searchParams.get("options")?.split("=")[1];
    await run(
      url,
      `create role ${role} login; grant usage on schema ${schema} to ${role};
      grant all on all tables in schema ${schema} to ${role};
      grant all on all sequences in schema ${schema} to ${role};
      alter role ${role} in database ${new URL(url).pathname.slice(1)} set search_path = ${schema}`,
    );
    onTestFinished(() => run(url, `drop owned by ${role}; drop role ${role}`));
    const asRole = withPart(url, (parts) => {
      parts.username = role;
    });
    await using tested = await TestedAuthority.start({ database: asRole });
    const token = await tested.token();
    expect((await tested.call("GET", "/readyz")).status).toBe(200);
    for (const [breaks, mends] of [
      [
        `revoke usage on schema ${schema} from ${role}`,
        `grant usage on schema ${schema} to ${role}`,
      ],
      ["alter table users rename to lost", "alter table lost rename to users"],
      [`revoke select on users from ${role}`, `grant select on users to ${role}`],
    ] as const) {
      await run(url, breaks);
      const answer = await tested.registerAgent(token, AgentKey.generate());
      expectRefusal(answer, 503, "server_error");
      expect(answer.headers["retry-after"]).toBe("1");
      expectRefusal(await tested.call("GET", "/readyz"), 503, "server_error");
      await run(url, mends);
      expect((await tested.call("GET", "/readyz")).status).toBe(200);
      expect((await tested.registerAgent(token, AgentKey.generate())).status).toBe(200);
    }
  });

  it("keeps the audit log as it was written", async () => {
    const url = await createDatabase();
    await using store = await openStore(url);
    await createRegistry(store).createAccessToken({
      accountId: "acct-1",
      userId: "user-1",
      role: "human",
      ttlSeconds: 60,
    });
    for (const statement of [
      "update audit_events set action = 'other'",
      "delete from audit_events",
      "truncate audit_events",
    ]) {
      await expect(run(url, statement)).rejects.toThrow("append-only");
    }
    // A number that somebody chose is passed over: the next one is taken.
    await run(
      url,
      "insert into audit_events (sequence, at, action) values (1, '2026-01-01T00:00:00Z', 'x')",
    );
    expect((await createRegistry(store).listAuditEvents()).map(({ sequence }) => sequence)).toEqual(
      [1, 2],
    );
  });

  it("shows no event before all that have a smaller number", async () => {
    const url = await createDatabase();
    await using store = await openStore(url);
    const registry = createRegistry(store);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: numbered, resolve: onNumbered } = Promise.withResolvers<void>();
    const insert = (action: string) =>
      sql`insert into audit_events (sequence, at, action) values (0, '2026-01-01T00:00:00Z', ${action})`;
    // Takes its number first and is committed last.
    const early = store.transaction(async (rows) => {
      await insert("early").execute(rows);
      onNumbered();
      await held;
    });
    await numbered;
    await store.transaction((rows) => insert("late").execute(rows));
    const listed = registry.listAuditEvents();
    release();
    await early;
    expect((await listed).map(({ action }) => action)).toEqual(["early", "late"]);
  });

  it("is tried with rows that take more than a page, as they are stored", async () => {
    await using store = await openStore(await createDatabase());
    await sql`create table sizes (size integer)`.execute(store.rows);
    // Read from the table: a trigger's own row is not yet as it is stored.
    await sql`create function note_size() returns trigger language plpgsql as 'begin
      insert into sizes select pg_column_size(expires_at) from rate_limits where name = new.name and window_start = new.window_start;
      return null; end'`.execute(store.rows);
    await sql`create trigger note_size after insert on rate_limits for each row execute function note_size()`.execute(
      store.rows,
    );
    await tryStore(store);
    const { rows } = await sql`select sum(size) >= 8192 as enough from sizes`.execute(store.rows);
    expect(rows).toEqual([{ enough: true }]);
    expect(await store.rows.selectFrom("rate_limits").selectAll().execute()).toEqual([]);
  });

  it("lets its authority be ready only while it may be written", async () => {
    await using store = await openStore(await createDatabase());
    const authority = await createAuthority({ store });
    expect(await authority.isReady()).toBe(true);
    // Of the one connection that is used by one query after the other; a server that became a standby says the same of all.
    await sql`set default_transaction_read_only = on`.execute(store.rows);
    expect(await authority.isReady()).toBe(false);
    await sql`set default_transaction_read_only = off`.execute(store.rows);
    expect(await authority.isReady()).toBe(true);
    await authority.close();
  });
});
