import { renameSync, writeFileSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey, StoreError } from "@countersign/agent-key";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { fileStore } from "./file-store.js";

const LOGIN = {
  authority: "https://authority.example",
  account_id: "acct-1",
  user_id: "user-1",
  kind: "human",
  proof: "bearer",
  access_token: "secret-token",
  logged_in_at: "2026-03-23T12:00:00Z",
};
const ENTRY = {
  authority: "https://authority.example",
  account_id: "acct-1",
  user_id: "user-1",
  private_key: AgentKey.generate().exportPkcs8(),
  agent_runtime_id: "agent_1",
  state: "registered",
  registered_at: "2026-03-23T12:00:00Z",
};

async function open(content?: unknown) {
  const directory = await openDirectory();
  const file = join(directory, "credentials.json");
  if (content !== undefined) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await writeFile(file, text, { mode: 0o600 });
  }
  const onDisk = async () => JSON.parse(await readFile(file, "utf8"));
  return { directory, file, store: fileStore(directory), onDisk };
}

describe("a file that is no credentials file is store_corrupt, and stays as it is", () => {
  const good = JSON.stringify({ version: 1, login: LOGIN, identities: [ENTRY] });
  const cases: readonly [string, string][] = [
    ["empty", ""],
    ["cut off", good.slice(0, -20)],
    ["followed by something", `${good}}`],
    ["a list", "[]"],
    ["null", "null"],
    ["without a version", "{}"],
    ["of version 0", '{"version":0}'],
    ["of version 1 as text", '{"version":"1"}'],
  ];
  test.each(cases)("%s", async (_, text) => {
    const { store, file } = await open(text);
    const error = await expectRejection(store.load(), StoreError, "store_corrupt");
    expect(error.hint).toContain("move it away");
    expect(error.message).not.toContain("secret-token");
    await expectRejection(
      store.update((current) => current),
      StoreError,
      "store_corrupt",
    );
    expect(await readFile(file, "utf8")).toBe(text);
  });

  test("of a higher version: the remedy is an update", async () => {
    const { store } = await open({ version: 2, login: 7 });
    const error = await expectRejection(store.load(), StoreError, "store_corrupt");
    expect(error.hint).toContain("update");
  });
});

test("a symbolic link in place of the file or of the directory is store_denied", async () => {
  const { directory, store, file } = await open();
  const other = await open({ version: 1, login: LOGIN, identities: [] });
  await symlink(other.file, file);
  await expectRejection(store.load(), StoreError, "store_denied");
  const change = store.update((current) => ({ ...current, login: null }));
  await expectRejection(change, StoreError, "store_denied");
  await symlink(other.directory, join(directory, "home"));
  const linked = fileStore(join(directory, "home"));
  await expectRejection(linked.load(), StoreError, "store_denied");
  expect(await other.onDisk()).toMatchObject({ login: LOGIN });
});

test("a home below a file is store_denied", async () => {
  const { file } = await open("");
  const store = fileStore(join(file, "home"));
  const calls = [
    () => store.load(),
    () => store.update((current) => current),
    () => store.withLock("a", async () => {}),
  ];
  for (const call of calls) {
    await expectRejection(call(), StoreError, "store_denied");
  }
});

test("nothing is made on disk by reading, nor by a change that writes nothing", async () => {
  const { directory } = await open();
  const store = fileStore(join(directory, "home"));
  expect(await store.load()).toMatchObject({ login: null });
  expect(await store.update(() => undefined)).toMatchObject({ login: null });
  expect(await readdir(directory)).toEqual([]);
});

test("directory and file are this user's alone, tightened at reading and at writing (G-H1)", async () => {
  const { directory, file, store } = await open({ version: 1, login: LOGIN, identities: [] });
  const modes = async () => [directory, file].map(async (path) => (await stat(path)).mode & 0o777);
  for (const use of [() => store.load(), () => store.update((current) => ({ ...current, a: 1 }))]) {
    await chmod(directory, 0o755);
    await chmod(file, 0o644);
    await use();
    expect(await Promise.all(await modes())).toEqual([0o700, 0o600]);
  }
});

test("left-overs of a killed writer go with the next write", async () => {
  const { directory, store } = await open();
  await writeFile(join(directory, "credentials.json.0123456789abcdef01234567.tmp"), "half");
  await store.update((current) => ({ ...current, a: 1 }));
  expect(await readdir(directory)).toEqual(["credentials.json"]);
});

test("waits while another process holds its lock, but no longer than its caller", async () => {
  const { directory, store } = await open();
  const lock = join(directory, "credentials.json.lock");
  await mkdir(lock);
  await writeFile(join(lock, "0".repeat(32)), "");
  const abort = new AbortController();
  const change = store.update((current) => ({ ...current, a: 1 }), { signal: abort.signal });
  abort.abort();
  await expectRejection(change, StoreError, "cancelled");
  expect(await store.load()).toEqual({ version: 1, login: null, identities: [] });
});

test("a writer whose lock was taken away changes nothing (G-H7)", async () => {
  const { file, store, onDisk } = await open({ version: 1, login: LOGIN, identities: [] });
  const change = store.update((current) => {
    renameSync(`${file}.lock`, `${file}.elsewhere`);
    return { ...current, login: null };
  });
  const error = await expectRejection(change, StoreError, "store_locked");
  expect(error.retryable).toBe(true);
  expect(await onDisk()).toMatchObject({ login: LOGIN });
});

test("a change is made again on what somebody wrote without the lock, and given up when that never ends", async () => {
  const { file, store, onDisk } = await open({ version: 1, login: LOGIN, identities: [] });
  const meddle = (by: number) => {
    const content = { version: 1, login: LOGIN, identities: [], by };
    writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  };
  let calls = 0;
  await store.update((current) => {
    calls += 1;
    if (calls === 1) meddle(0);
    return { ...current, added: true };
  });
  expect(calls).toBe(2);
  expect(await onDisk()).toMatchObject({ by: 0, added: true });
  const change = store.update((current) => {
    calls += 1;
    meddle(10 ** calls);
    return { ...current, login: null };
  });
  await expectRejection(change, StoreError, "store_locked");
  expect(await onDisk()).toMatchObject({ login: LOGIN });
});

describe("one unreadable member spoils no other", () => {
  const broken: readonly [string, unknown][] = [
    ["a text", "gone"],
    ["null", null],
    ["without a key", { ...ENTRY, user_id: "user-2", private_key: undefined }],
    ["registered without an id", { ...ENTRY, user_id: "user-2", agent_runtime_id: undefined }],
    [
      "with an id that would reach a path",
      { ...ENTRY, user_id: "user-2", agent_runtime_id: "../x" },
    ],
    ["of an unknown state", { ...ENTRY, user_id: "user-2", state: "resting" }],
  ];
  test.each(broken)(
    "an identity that is %s is listed, and kept at every write",
    async (_, entry) => {
      const stored = { version: 1, login: LOGIN, identities: [entry, ENTRY] };
      const { store, onDisk } = await open(stored);
      const credentials = await store.load();
      expect(credentials).toMatchObject({ login: LOGIN, identities: [ENTRY] });
      expect(credentials.unreadable).toHaveLength(1);
      await store.update((current) => ({ ...current, identities: [] }));
      const kept = JSON.parse(JSON.stringify(entry));
      expect(await onDisk()).toEqual({ version: 1, login: LOGIN, identities: [kept] });
    },
  );

  test("a login that cannot be read leaves the identities usable, and is kept at every write (G-H6)", async () => {
    const login = { ...LOGIN, proof: "handshake" };
    const { store, onDisk } = await open({ version: 1, login, identities: [ENTRY] });
    const credentials = await store.load();
    expect(credentials).toMatchObject({ login: null, identities: [ENTRY] });
    expect(credentials.unreadable?.[0]).toMatchObject({ member: "login", userId: "user-1" });
    await store.update((current) => ({ ...current, identities: [] }));
    expect(await onDisk()).toEqual({ version: 1, login, identities: [] });
  });

  test("identities that are no list leave the login usable, and are never written over", async () => {
    const stored = { version: 1, login: LOGIN, identities: { lost: true } };
    const { store, onDisk } = await open(stored);
    expect(await store.load()).toMatchObject({ login: LOGIN, identities: [] });
    const { private_key, authority, account_id, user_id } = ENTRY;
    const entry = { private_key, authority, account_id, user_id, state: "pending" } as const;
    const change = store.update((current) => ({ ...current, identities: [entry] }));
    await expectRejection(change, StoreError, "store_corrupt");
    await store.update((current) => ({ ...current, login: null }));
    expect(await onDisk()).toEqual({ ...stored, login: null });
  });

  test("members without a change are written back as they were", async () => {
    const stored = {
      version: 1,
      future: { a: [1] },
      unreadable: "a member of a later version",
      login: { ...LOGIN, logged_in_at: 7, plan: "x" },
      identities: [{ ...ENTRY, registered_at: { odd: true }, note: 1 }],
    };
    const { store, onDisk } = await open(stored);
    expect((await store.load()).login?.logged_in_at).toBe("");
    await store.update((current) => ({ ...current, added: true }));
    expect(await onDisk()).toEqual({ ...stored, added: true });
  });
});
