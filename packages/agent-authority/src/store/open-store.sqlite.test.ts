import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expectRejection } from "@countersign/testing/vitest";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { createRegistry } from "../registry/create-registry.js";
import { loadSqlite } from "./load-sqlite.js";
import { openStore } from "./open-store.js";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-store-"));
  file = join(folder, "authority.db");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

describe("openStore", () => {
  it("rejects a URL of another form", async () => {
    for (const url of [
      "",
      "sqlite",
      "sqlite:",
      "authority.db",
      "file:authority.db",
      "mysql://db.example/x",
      "sqlite://host/authority.db",
      "sqlite:a\0b",
    ]) {
      await expectRejection(openStore(url), AgentAuthorityError, "config_invalid");
    }
  });

  it("rejects a PostgreSQL URL that names no database, and does not repeat its password", async () => {
    for (const url of [
      "postgres://u:hunter2@db.example",
      "postgres://u:hunter2@db.example/",
      "postgres://u:hunter2@[",
    ]) {
      const error = await openStore(url).catch((reason) => reason);
      expect(error).toMatchObject({ code: "config_invalid" });
      expect(String(error)).not.toContain("hunter2");
    }
  });

  it("rejects a folder that does not exist, and makes none", async () => {
    const promise = openStore(`sqlite:${join(folder, "none", "authority.db")}`);
    await expectRejection(promise, AgentAuthorityError, "config_invalid");
    await expect(stat(join(folder, "none"))).rejects.toThrow();
  });

  it("rejects what is no regular file", async () => {
    await expectRejection(openStore(`sqlite:${folder}`), AgentAuthorityError, "store_denied");
  });

  it("rejects a file that is no database, names it, and leaves it as it was, its mode too", async () => {
    await writeFile(file, "x".repeat(4_096), { mode: 0o644 });
    const promise = openStore(`sqlite:${file}`);
    await expectRejection(promise, AgentAuthorityError, "store_corrupt");
    await expect(promise).rejects.toThrow(file);
    expect((await stat(file)).size).toBe(4_096);
    expect(await modeOf(file)).toBe(0o644);
    expect(await readdir(folder)).toEqual(["authority.db"]);
  });

  it("rejects another program's database and leaves it as it was, its mode too", async () => {
    const foreign = new DatabaseSync(file);
    foreign.exec("create table notes (text)");
    foreign.close();
    await chmod(file, 0o644);
    const before = await readFile(file);
    await expectRejection(openStore(`sqlite:${file}`), AgentAuthorityError, "store_corrupt");
    expect((await readFile(file)).equals(before)).toBe(true);
    expect(await modeOf(file)).toBe(0o644);
    expect(await readdir(folder)).toEqual(["authority.db"]);
  });

  it("takes an empty file", async () => {
    await writeFile(file, "");
    await using store = await openStore(`sqlite:${file}`);
    expect(await createRegistry(store).listAgents()).toEqual([]);
    expect(await modeOf(file)).toBe(0o600);
  });

  it("rejects a database of a newer version or another program", async () => {
    await (await openStore(`sqlite:${file}`)).close();
    const database = new DatabaseSync(file);
    database.exec(
      "insert into kysely_migration values ('9999_future', '2099-01-01T00:00:00.000Z')",
    );
    database.close();
    await expectRejection(openStore(`sqlite:${file}`), AgentAuthorityError, "store_corrupt");
    const other = join(folder, "other.db");
    const foreign = new DatabaseSync(other);
    foreign.exec("create table agents (name text)");
    foreign.close();
    await expectRejection(openStore(`sqlite:${other}`), AgentAuthorityError, "store_corrupt");
  });

  it("makes the file and its side files owner-only, and tightens what is there", async () => {
    const store = await openStore(`sqlite:${file}`);
    for (const path of [file, `${file}-wal`, `${file}-shm`]) expect(await modeOf(path)).toBe(0o600);
    await store.close();
    await chmod(file, 0o664);
    await (await openStore(`sqlite:${file}`)).close();
    expect(await modeOf(file)).toBe(0o600);
  });

  it("commits to disk: WAL, full synchronisation, foreign keys", async () => {
    await using store = await openStore(`sqlite:${file}`);
    const pragma = async (name: string) =>
      Object.values((await sql.raw(`pragma ${name}`).execute(store.rows)).rows[0] as object)[0];
    expect(await pragma("journal_mode")).toBe("wal");
    expect(await pragma("synchronous")).toBe(2);
    expect(await pragma("foreign_keys")).toBe(1);
    expect(await pragma("busy_timeout")).toBe(5_000);
  });

  it("opens an odd path as it is: a link, spaces, question marks", async () => {
    const odd = join(folder, "a b?c#d%20.db");
    await symlink(odd, join(folder, "link.db"));
    await mkdir(join(folder, "sub"));
    await (await openStore(`sqlite:${odd}`)).close();
    expect((await stat(odd)).isFile()).toBe(true);
    await using store = await openStore(`sqlite:${join(folder, "link.db")}`);
    expect(await createRegistry(store).listAgents()).toEqual([]);
  });

  it("keeps what was written when it is opened again", async () => {
    const token = { accountId: "acct-1", userId: "user-1", role: "human", ttlSeconds: 60 } as const;
    const first = await openStore(`sqlite:${file}`);
    const { id } = await createRegistry(first).createAccessToken(token);
    await first.close();
    await first.close();
    await using second = await openStore(`sqlite:${file}`);
    expect(await createRegistry(second).listAccessTokens()).toMatchObject([{ id }]);
  });
});

describe("a transaction", () => {
  it("is rolled back whole by an error, and the next one works", async () => {
    await using store = await openStore("sqlite::memory:");
    const insert = (rows: typeof store.rows) =>
      rows.insertInto("audit_events").values({ at: "x", action: "x" }).execute();
    const failing = store.transaction(async (rows) => {
      await insert(rows);
      throw new TypeError("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    expect(await store.rows.selectFrom("audit_events").selectAll().execute()).toEqual([]);
    await store.transaction(insert);
    expect(await store.rows.selectFrom("audit_events").selectAll().execute()).toHaveLength(1);
  });

  it("lets no other query of its process in between", async () => {
    await using store = await openStore("sqlite::memory:");
    const order: string[] = [];
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const transaction = store.transaction(async () => {
      enter();
      await gate;
      order.push("transaction");
    });
    await entered;
    const query = sql`select 1`.execute(store.rows).then(() => order.push("query"));
    // Time enough for the query, were it let in.
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    open();
    await Promise.all([transaction, query]);
    expect(order).toEqual(["transaction", "query"]);
  });

  it("holds the write lock from its start, so that what it read still counts when it writes", async () => {
    await using first = await openStore(`sqlite:${file}`);
    await using second = await openStore(`sqlite:${file}`);
    await sql`pragma busy_timeout = 1`.execute(second.rows);
    await first.transaction(async () => {
      const promise = second.transaction(async () => {});
      await expectRejection(promise, AgentAuthorityError, "store_locked");
    });
    await expect(second.transaction(async () => 1)).resolves.toBe(1);
  });

  it("is store_locked, to be tried again, while another connection holds the database", async () => {
    await using store = await openStore(`sqlite:${file}`);
    await sql`pragma busy_timeout = 1`.execute(store.rows);
    const holder = new DatabaseSync(file);
    holder.exec("begin immediate");
    const promise = store.transaction(async () => {});
    await expectRejection(promise, AgentAuthorityError, "store_locked");
    holder.close();
    await expect(store.transaction(async () => 1)).resolves.toBe(1);
  });
});

describe("the audit log", () => {
  it("refuses to be changed, emptied or written over (G-A40)", async () => {
    await using store = await openStore("sqlite::memory:");
    const registry = createRegistry(store);
    await registry.createAccessToken({
      accountId: "acct-1",
      userId: "user-1",
      role: "human",
      ttlSeconds: 60,
    });
    for (const statement of [
      "update audit_events set action = 'x'",
      "update or ignore audit_events set action = 'x'",
      "delete from audit_events",
      "insert or replace into audit_events (sequence, at, action) values (1, 'x', 'x')",
      "replace into audit_events (sequence, at, action) values (1, 'x', 'x')",
    ]) {
      await expect(sql.raw(statement).execute(store.rows)).rejects.toThrow("append-only");
    }
    expect(await registry.listAuditEvents()).toMatchObject([
      { sequence: 1, action: "access_token_created" },
    ]);
  });
});

describe("loading SQLite", () => {
  it("drops its one warning, lets others through, and puts emitWarning back", () => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const load = vi.spyOn(process, "getBuiltinModule").mockImplementation(() => {
      process.emitWarning("SQLite is an experimental feature", "ExperimentalWarning");
      process.emitWarning("Something else is experimental", "ExperimentalWarning");
      process.emitWarning("SQLite is deprecated", "DeprecationWarning");
      return {};
    });
    const before = process.emitWarning;
    try {
      loadSqlite();
      expect(process.emitWarning).toBe(before);
      expect(emitWarning.mock.calls.map(([message]) => message)).toEqual([
        "Something else is experimental",
        "SQLite is deprecated",
      ]);
    } finally {
      load.mockRestore();
      emitWarning.mockRestore();
    }
  });
});
