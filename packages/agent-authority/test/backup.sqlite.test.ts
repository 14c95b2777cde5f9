import fs, {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentKey } from "@countersign/agent-key";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AgentAuthorityError, backupStore, openStore } from "../src/index.js";
import { runProgram } from "./run-process.js";
import { TestedAuthority } from "./start-authority.js";

let folder: string;
let database: string;
let out: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "authority-backup-"));
  database = `sqlite:${join(folder, "authority.db")}`;
  out = join(folder, "backup.db");
  await (await openStore(database)).close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function expectRefused(work: Promise<unknown>, code: string, says: string): Promise<void> {
  const before = otherFiles();
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(AgentAuthorityError.is(error) && error.code, String(error)).toBe(code);
  expect(String(error)).toContain(says);
  expect(otherFiles()).toEqual(before);
}

// SQLite's own files beside the database come and go with its connections.
function otherFiles(): readonly string[] {
  return readdirSync(folder).filter((name) => !/^authority\.db-(?:wal|shm)$/.test(name));
}

/** Makes the database so large that it is copied in many steps. */
function fill(): void {
  const file = new DatabaseSync(join(folder, "authority.db"));
  file.exec("create table filler (bytes); insert into filler values (randomblob(8000000))");
  file.close();
}

describe("refuses, and writes nothing,", () => {
  test("a database that is not there, and makes none", async () => {
    const missing = `sqlite:${join(folder, "missing.db")}`;
    await expectRefused(backupStore(missing, out), "config_invalid", "no database");
  });

  test("an empty file, which no authority ever used", async () => {
    writeFileSync(join(folder, "empty.db"), "");
    const empty = `sqlite:${join(folder, "empty.db")}`;
    await expectRefused(backupStore(empty, out), "config_invalid", "is empty");
  });

  test("a file that is no database, and one of another program", async () => {
    writeFileSync(join(folder, "text.db"), "hello ".repeat(1000));
    const text = `sqlite:${join(folder, "text.db")}`;
    await expectRefused(backupStore(text, out), "store_corrupt", "text.db");
    const other = new DatabaseSync(join(folder, "other.db"));
    other.exec("create table notes (text)");
    other.close();
    const others = `sqlite:${join(folder, "other.db")}`;
    await expectRefused(backupStore(others, out), "store_corrupt", "another program");
  });

  test("a database in memory, and PostgreSQL, whose password it does not repeat", async () => {
    await expectRefused(backupStore("sqlite::memory:", out), "config_invalid", "memory");
    const postgres = backupStore("postgres://u:s3cr3t@db.example/x", out);
    await expectRefused(postgres, "config_invalid", "PostgreSQL");
    await expect(postgres).rejects.toMatchObject({ hint: expect.stringContaining("pg_dump") });
    await expect(postgres).rejects.not.toThrow("s3cr3t");
  });

  test("a file that exists, unless it is to be replaced", async () => {
    writeFileSync(out, "mine");
    await expectRefused(backupStore(database, out), "config_invalid", "exists");
    expect(readFileSync(out, "utf8")).toBe("mine");
    await backupStore(database, out, { overwrite: true });
    await (await openStore(`sqlite:${out}`)).close();
  });

  test("the database itself, by whatever name, even where files are replaced", async () => {
    const file = join(folder, "authority.db");
    symlinkSync(folder, join(folder, "link"));
    for (const same of [file, join(folder, "link", "authority.db")]) {
      const work = backupStore(database, same, { overwrite: true });
      await expectRefused(work, "config_invalid", "the database itself");
    }
  });

  test("a folder, a link, and a folder that is not there", async () => {
    mkdirSync(join(folder, "taken"));
    symlinkSync(join(folder, "authority.db"), join(folder, "link.db"));
    for (const name of ["taken", "link.db"]) {
      const work = backupStore(database, join(folder, name), { overwrite: true });
      await expectRefused(work, "config_invalid", "no regular file");
    }
    const work = backupStore(database, join(folder, "none", "backup.db"));
    await expectRefused(work, "config_invalid", "folder");
  });

  test("a file beside which SQLite left changes, which would become the backup's", async () => {
    await backupStore(database, out);
    writeFileSync(`${out}-wal`, "changes");
    const work = backupStore(database, out, { overwrite: true });
    await expectRefused(work, "config_invalid", "backup.db-wal");
  });

  test("to go on when it is cancelled", async () => {
    fill();
    const cancelling = new AbortController();
    const work = backupStore(database, out, {
      signal: cancelling.signal,
      onProgress: () => cancelling.abort(),
    });
    await expect(work).rejects.toThrow("aborted");
    expect(otherFiles()).toEqual(["authority.db"]);
  });

  test("a damaged database, whose copy would be damaged too", async () => {
    fill();
    const file = join(folder, "authority.db");
    const bytes = readFileSync(file);
    // Far behind the first pages: a copy alone would not notice.
    bytes.fill(0xa5, bytes.length - 400_000);
    writeFileSync(file, bytes);
    await expectRefused(backupStore(database, out), "store_corrupt", "not whole");
  });
});

test("holds everything that was acknowledged before it began, while other processes go on writing", async () => {
  await using tested = await TestedAuthority.start({ database, maxLiveAgents: 1000 });
  const token = await tested.token();
  fill();
  const writing = runProgram("operator", database, "create-tokens", "500");
  const registered = new Set<string>();
  const register = async () => {
    const { status, body } = await tested.registerAgent(token, AgentKey.generate());
    expect(status).toBe(200);
    return String(body.agent_runtime_id);
  };
  for (let i = 0; i < 20; i += 1) registered.add(await register());
  let going = true;
  let later = 0;
  const more = (async () => {
    while (going) {
      await register();
      later += 1;
    }
  })();
  const steps: number[] = [];
  const backup = await backupStore(database, out, { onProgress: (copied) => steps.push(copied) });
  going = false;
  await Promise.all([more, writing]);
  expect(later).toBeGreaterThan(0);
  // One pass: the copy does not start again at each commit of another connection.
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
  expect(backup).toEqual({ file: out, bytes: statSync(out).size });
  expect(statSync(out).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).filter((name) => name.includes("backup"))).toEqual(["backup.db"]);

  const copy = new DatabaseSync(out);
  expect(copy.prepare("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  const rows = copy.prepare("select agent_runtime_id from agents").all();
  copy.close();
  expect(rows.map((row) => row.agent_runtime_id)).toEqual(expect.arrayContaining([...registered]));
});

test("a backup is synced before it takes its place, and its folder after that", async () => {
  const steps: string[] = [];
  const { fsync } = fs;
  const spy = vi.spyOn(fs, "fsync").mockImplementation((descriptor, done) => {
    const isFolder = fs.fstatSync(descriptor).isDirectory();
    const isInPlace = readdirSync(folder).includes("backup.db");
    steps.push(`${isFolder ? "folder" : "file"}, ${isInPlace ? "in place" : "aside"}`);
    fsync(descriptor, done);
  });
  try {
    await backupStore(database, out);
  } finally {
    spy.mockRestore();
  }
  expect(steps).toEqual(["file, aside", "folder, in place"]);
});

test("a backup is made where file handles cannot sync, as under Yarn's Plug'n'Play", async () => {
  const handle = await open(folder);
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const methods = ["sync", "datasync", Symbol.asyncDispose] as const;
  const spies = methods.map((name) =>
    vi.spyOn(prototype, name).mockRejectedValue(new Error("Method not implemented.")),
  );
  try {
    await backupStore(database, out);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  expect(statSync(out).size).toBeGreaterThan(0);
});

test("an authority goes on with a restored backup: its agents, tasks and revocations, and nothing later", async () => {
  let key: AgentKey;
  let agentId: string;
  let revokedId: string;
  {
    await using tested = await TestedAuthority.start({ database });
    const agent = await tested.agent();
    [agentId, key] = [agent.id, agent.key];
    await tested.registerTask(agentId, key, { "idempotency-key": "once" });
    revokedId = (await tested.agent("user-2")).id;
    await tested.authority.registry.revokeAgent(revokedId);
    await backupStore(database, out);
    await tested.agent("user-3");
  }
  await using restored = await TestedAuthority.start({ database: `sqlite:${out}` });
  const { registry } = restored.authority;
  expect((await registry.listAgents()).map(({ agentRuntimeId }) => agentRuntimeId).sort()).toEqual(
    [agentId, revokedId].sort(),
  );
  expect((await registry.getAgent(revokedId))?.state).toBe("revoked");
  const again = await restored.registerTask(agentId, key, { "idempotency-key": "once" });
  expect(again.status).toBe(200);
  expect(await registry.listTasks({ agentRuntimeId: agentId })).toHaveLength(1);
  const copy = new DatabaseSync(out);
  expect(() => copy.exec("delete from audit_events")).toThrow();
  copy.close();
});
