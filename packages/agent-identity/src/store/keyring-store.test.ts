import { readdirSync, renameSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "@countersign/agent-key";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { openFakeKeyring } from "../../test/support/fake-keyring.js";
import { openManager } from "../../test/support/manager.js";
import type { Credentials } from "../credential-store.js";
import { keyringStore } from "./keyring-store.js";
import type { KeyringStoreOptions } from "./keyring-store-options.js";

async function open(options: Partial<KeyringStoreOptions> = {}) {
  const directory = await openDirectory();
  const keyring = openFakeKeyring();
  const all = { directory, account: "me", maxEntryBytes: 2400, openEntry: keyring.openEntry };
  const reopen = () => keyringStore({ ...all, ...options });
  return { directory, keyring, store: reopen(), reopen };
}

const withMember = (name: string, value: unknown) => (current: Credentials) => ({
  ...current,
  [name]: value,
});
const long = (bytes: number) => "é".repeat(bytes / 2);

describe("an option out of its range is refused at once", () => {
  test.each<[string, Partial<KeyringStoreOptions>]>([
    ["an empty service", { service: "" }],
    ["an account with a line break", { account: "a\nb" }],
    ["an account with NUL", { account: "a\0b" }],
    ["entries of no bytes", { maxEntryBytes: 0 }],
    ["entries of half a byte", { maxEntryBytes: 1000.5 }],
  ])("%s", (_, options) => {
    expect(() => keyringStore({ directory: "/nowhere", ...options })).toThrow(
      expect.objectContaining({ code: "config_invalid" }),
    );
  });
});

describe("a keyring that cannot be used is store_denied with a remedy, and nothing is registered", () => {
  const reasons: readonly [string, string, RegExp][] = [
    ["no D-Bus", "Platform failure: DBus error: no address", /start a Secret Service/],
    ["a locked one", "Secret Service: unlock prompt was dismissed", /unlock the keyring/],
    ["no default one", "Secret Service: no result found", /create a default keyring/],
    ["another fault", "disk on fire\u202e", /repair/],
  ];
  test.each(reasons)("%s", async (_, reason, hint) => {
    const { directory, keyring, store } = await open();
    keyring.before = () => {
      throw new Error(reason);
    };
    const error = await expectRejection(store.load(), StoreError, "store_denied");
    expect(error.hint).toMatch(hint);
    expect(error.message).not.toContain("\u202e");
    const change = store.update(withMember("a", 1));
    await expectRejection(change, StoreError, "store_denied");
    const { manager, authority } = await openManager({ store });
    await expectRejection(manager.ensure(), StoreError, "store_denied");
    expect(authority.counts.registerAgent).toBe(0);
    // Nothing was kept elsewhere instead.
    expect(await readdir(directory)).toEqual([]);
    // Nor is the failure remembered.
    keyring.before = () => {};
    expect(await store.load()).toMatchObject({ identities: [] });
  });

  test("one that opens no entry", async () => {
    const { store } = await open({
      openEntry: () => {
        throw new Error("DBus error");
      },
    });
    await expectRejection(store.load(), StoreError, "store_denied");
  });

  test("one that forgets at once is not believed to be empty", async () => {
    const { keyring, store } = await open();
    keyring.before = () => keyring.entries.clear();
    await expectRejection(store.load(), StoreError, "store_denied");
    const { manager, authority } = await openManager({ store });
    await expectRejection(manager.ensure(), StoreError, "store_denied");
    expect(authority.counts.registerAgent).toBe(0);
  });

  test("one that gives back another secret than was put into it", async () => {
    const { keyring, store } = await open();
    keyring.before = (use, account) => {
      if (use === "get" && keyring.entries.has(account))
        keyring.entries.set(account, new Uint8Array(3));
    };
    await expectRejection(store.load(), StoreError, "store_denied");
  });

  test("one that keeps probes and loses what is written", async () => {
    const { keyring, store } = await open();
    keyring.before = (use) => {
      if (use === "get") keyring.entries.delete("me");
    };
    const change = store.update(withMember("a", 1));
    await expectRejection(change, StoreError, "store_denied");
  });

  test("one that cuts secrets short loses nothing that it had", async () => {
    const { keyring, store, reopen } = await open();
    await store.update(withMember("a", 1));
    const openEntry: typeof keyring.openEntry = (service, account) => {
      const entry = keyring.openEntry(service, account);
      return { ...entry, setSecret: (secret) => entry.setSecret(secret.subarray(0, 5)) };
    };
    const change = (await open({ openEntry })).store.update(withMember("a", 2));
    await expectRejection(change, StoreError, "store_denied");
    expect(await reopen().load()).toMatchObject({ a: 1 });
  });

  test("one with an entry that cannot be read is not written", async () => {
    const { keyring, store } = await open();
    await store.update(withMember("a", 1));
    const before = keyring.entries.get("me");
    keyring.before = (use, account) => {
      if (use === "get" && account === "me") throw new Error("locked");
    };
    const change = store.update(withMember("a", 2));
    await expectRejection(change, StoreError, "store_denied");
    expect(keyring.entries.get("me")).toBe(before);
  });
});

describe("entries that are no store are store_corrupt, and stay as they are", () => {
  const head = (text: string) => new Map([["me", Buffer.from(text)]]);
  const sum = "0".repeat(64);
  test.each<[string, ReadonlyMap<string, Uint8Array>]>([
    ["another program's secret", head("hunter2")],
    ["a later form", head("countersign-keyring-2 whole\n{}")],
    ["no JSON", head("countersign-keyring-1 whole\n{")],
    ["parts that are missing", head(`countersign-keyring-1 parts a 2 ${sum}\n`)],
    ["no parts at all", head(`countersign-keyring-1 parts a 0 ${sum}\n`)],
    ["a set of parts that does not exist", head(`countersign-keyring-1 parts c 1 ${sum}\n`)],
    [
      "parts of something else",
      head(`countersign-keyring-1 parts a 1 ${sum}\n`).set("me a0", Buffer.from('{"version":1}')),
    ],
  ])("%s", async (_, entries) => {
    const { keyring, store } = await open();
    for (const [name, bytes] of entries) keyring.entries.set(name, bytes);
    const error = await expectRejection(store.load(), StoreError, "store_corrupt");
    expect(error.hint).toBeDefined();
    expect(error.message).not.toContain("hunter2");
    const change = store.update(withMember("a", 1));
    await expectRejection(change, StoreError, "store_corrupt");
    expect(keyring.entries).toEqual(entries);
  });
});

test("a probe leaves nothing behind, and the home gets no file that holds a secret", async () => {
  const { directory, keyring, store } = await open();
  await store.load();
  expect(keyring.entries.size).toBe(0);
  expect(await readdir(directory)).toEqual([]);
  await store.update(withMember("a", "secret"));
  expect([...keyring.entries.keys()]).toEqual(["me"]);
  expect(await readdir(directory)).toEqual([]);
});

test("a text longer than an entry is kept in several, and shrinks back without a left-over", async () => {
  const { keyring, store, reopen } = await open();
  for (const [bytes, entries] of [
    [7000, 4],
    [12_000, 7],
    [3000, 3],
    [10, 1],
    [5000, 4],
  ] as const) {
    await store.update(withMember("note", long(bytes)));
    expect(keyring.entries.size).toBe(entries);
    expect(await reopen().load()).toMatchObject({ note: long(bytes) });
  }
});

test("what fits into no number of entries is refused, and the old content stays", async () => {
  const { store } = await open({ maxEntryBytes: 512 });
  await store.update(withMember("note", "old"));
  const change = store.update(withMember("note", long(600_000)));
  await expectRejection(change, StoreError, "store_denied");
  expect(await store.load()).toMatchObject({ note: "old" });
});

test("a writer that is cut off anywhere leaves the old content or the new one, whole, and no left-over for ever", async () => {
  const { keyring, store, reopen } = await open();
  await store.update(withMember("note", long(7000)));
  const contents = new Set<unknown>();
  for (let cut = 0; ; cut += 1) {
    let uses = 0;
    let isCut = false;
    keyring.before = (use) => {
      if (use !== "get" && uses++ === cut) isCut = true;
      if (isCut) throw new Error("killed");
    };
    const note = long(9000 + 2 * cut);
    await store.update(withMember("note", note)).catch(() => undefined);
    keyring.before = () => {};
    const { note: found } = await reopen().load();
    expect([long(9000 + 2 * (cut - 1)), long(7000), note]).toContain(found);
    contents.add(found === note);
    await reopen().update(withMember("note", note));
    expect(keyring.entries.size).toBe(5);
    if (!isCut) break;
  }
  expect(contents).toEqual(new Set([true, false]));
});

test("parts of a longer text whose writer was cut off go with the next write, however short", async () => {
  const { keyring, store } = await open();
  keyring.before = (use, account) => {
    if (use === "set" && account === "me") throw new Error("killed");
  };
  const change = store.update(withMember("note", long(12_000)));
  await expectRejection(change, StoreError, "store_denied");
  expect(keyring.entries.size).toBe(6);
  keyring.before = () => {};
  await store.update(withMember("note", long(5000)));
  expect([...keyring.entries.keys()].sort()).toEqual(["me", "me a0", "me a1", "me a2"]);
});

test("readers meet one content whole while writers change it", async () => {
  const { store, reopen } = await open();
  await store.update((current) => ({ ...current, one: long(4000), two: long(4000) }));
  let isOver = false;
  const read = async () => {
    const reader = reopen();
    while (!isOver) {
      const { one, two } = await reader.load();
      expect(one).toBe(two);
    }
  };
  const readers = [read(), read()];
  for (let i = 0; i < 20; i += 1) {
    const text = long(4000 + 200 * i);
    await store.update((current) => ({ ...current, one: text, two: text }));
  }
  isOver = true;
  await Promise.all(readers);
});

test("stores of one entry lose no change of many at once", async () => {
  const { keyring, reopen } = await open();
  const names = Array.from({ length: 12 }, (_, i) => `m${i}`);
  await Promise.all(names.map((name) => reopen().update(withMember(name, long(400)))));
  expect(Object.keys(await reopen().load())).toEqual(expect.arrayContaining(names));
  expect(keyring.entries.size).toBeGreaterThan(1);
});

test("a writer whose lock was taken away changes nothing", async () => {
  const { directory, store } = await open();
  await store.update(withMember("a", 1));
  const change = store.update((current) => {
    const lock = readdirSync(directory).find((name) => name.endsWith(".lock"));
    renameSync(join(directory, lock ?? ""), join(directory, "elsewhere"));
    return { ...current, a: 2 };
  });
  await expectRejection(change, StoreError, "store_locked");
  expect(await store.load()).toMatchObject({ a: 1 });
});

test("a change is made again on what somebody wrote without the lock, and given up when that never ends", async () => {
  const { keyring, store } = await open();
  const meddle = (by: number) => {
    const text = JSON.stringify({ version: 1, login: null, identities: [], by });
    keyring.entries.set("me", Buffer.from(`countersign-keyring-1 whole\n${text}`));
  };
  let calls = 0;
  await store.update((current) => {
    calls += 1;
    if (calls === 1) meddle(0);
    return { ...current, added: true };
  });
  expect(calls).toBe(2);
  expect(await store.load()).toMatchObject({ by: 0, added: true });
  const change = store.update((current) => {
    calls += 1;
    meddle(calls);
    return { ...current, added: false };
  });
  const error = await expectRejection(change, StoreError, "store_locked");
  expect(error.retryable).toBe(true);
});

test("a change that gives nothing writes nothing", async () => {
  const { keyring, store } = await open();
  expect(await store.update(() => undefined)).toMatchObject({ login: null });
  expect(keyring.entries.size).toBe(0);
});

test("locks need a home of this user's, and stop waiting with their caller", async () => {
  const { directory, keyring } = await open();
  await writeFile(join(directory, "file"), "");
  const store = keyringStore({
    directory: join(directory, "file"),
    account: "me",
    openEntry: keyring.openEntry,
  });
  const calls = [() => store.update(withMember("a", 1)), () => store.withLock("a", async () => {})];
  for (const call of calls) {
    await expectRejection(call(), StoreError, "store_denied");
  }
  const good = keyringStore({ directory, account: "me", openEntry: keyring.openEntry });
  const abort = new AbortController();
  await good.withLock("a", async () => {
    const waiting = good.withLock("a", async () => {}, { signal: abort.signal });
    abort.abort();
    await expectRejection(waiting, StoreError, "cancelled");
  });
});

test("a registration is kept in the keyring and found again", async () => {
  const { keyring, store, reopen } = await open();
  const { manager, authority } = await openManager({ store });
  const identity = await manager.ensure();
  expect(await reopen().load()).toMatchObject({
    identities: [{ agent_runtime_id: identity?.agentRuntimeId, state: "registered" }],
  });
  await manager.ensure();
  expect(authority.counts.registerAgent).toBe(1);
  expect([...keyring.entries.keys()]).toEqual(["me"]);
});

test("each home has an entry of its own", async () => {
  const names = new Set<string>();
  for (const directory of ["/home/one", "/home/two"]) {
    const store = keyringStore({
      directory,
      openEntry: (service, account) => {
        names.add(`${service} ${account}`);
        throw new Error("no");
      },
    });
    await store.load().catch(() => undefined);
  }
  expect(names).toEqual(new Set(["countersign /home/one", "countersign /home/two"]));
});
