import { AgentKey } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { openDirectory } from "../../test/support/directory.js";
import { expectRejection } from "../../test/support/expect-rejection.js";
import type { CredentialStore } from "../credential-store.js";
import { CredentialStoreError } from "../credential-store-error.js";
import type { StoredIdentity, StoredLogin } from "../schema/credentials.js";
import { fileStore } from "./file-store.js";
import { memoryStore } from "./memory-store.js";

const stores: readonly [name: string, open: () => Promise<CredentialStore>][] = [
  ["memory", async () => memoryStore()],
  ["file", async () => fileStore(await openDirectory())],
];

const LOGIN: StoredLogin = {
  authority: "https://authority.example",
  account_id: "acct-1",
  user_id: "user-1",
  kind: "human",
  proof: "bearer",
  access_token: "token-1",
  logged_in_at: "2026-03-23T12:00:00Z",
};

function identity(user: string): StoredIdentity {
  return {
    authority: "https://authority.example",
    account_id: "acct-1",
    user_id: user,
    private_key: AgentKey.generate().exportPkcs8(),
    state: "pending",
  };
}

test.each(stores)("a %s store is empty before anything was written", async (_, open) => {
  const store = await open();
  expect(await store.load()).toEqual({ version: 1, login: null, identities: [] });
});

test.each(stores)(
  "a %s store gives back what was written, unknown members too",
  async (_, open) => {
    const store = await open();
    const first = { ...identity("user-1"), note: "kept" };
    const written = await store.update((current) => ({
      ...current,
      login: { ...LOGIN, plan: "kept" },
      identities: [first],
      extra: { a: 1 },
    }));
    expect(written).toEqual({
      version: 1,
      login: { ...LOGIN, plan: "kept" },
      identities: [first],
      extra: { a: 1 },
    });
    expect(await store.load()).toEqual(written);
  },
);

test.each(stores)(
  "a %s store keeps what it had when a change gives nothing or fails",
  async (_, open) => {
    const store = await open();
    await store.update((current) => ({ ...current, login: LOGIN }));
    expect(await store.update(() => undefined)).toMatchObject({ login: LOGIN });
    const failing = store.update(() => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await store.load()).toMatchObject({ login: LOGIN });
  },
);

test.each(stores)("a %s store loses no change of many at once", async (_, open) => {
  const store = await open();
  const users = Array.from({ length: 12 }, (__, i) => `user-${i}`);
  await Promise.all(
    users.map((user) =>
      store.update((current) => ({
        ...current,
        identities: [...current.identities, identity(user)],
      })),
    ),
  );
  const { identities } = await store.load();
  expect(identities.map((entry) => entry.user_id).sort()).toEqual([...users].sort());
});

test.each(stores)("a %s store locks by name, beside its own lock", async (_, open) => {
  const store = await open();
  const order: string[] = [];
  const run = (name: string, label: string) =>
    store.withLock(name, async () => {
      order.push(`${label} begins`);
      // The lock of `update` is another one, so this does not wait for itself.
      await store.update((current) => ({ ...current, label }));
      order.push(`${label} ends`);
    });
  await Promise.all([run("a", "1"), run("a", "2")]);
  // Either may come first; neither begins before the other has ended.
  const [first, second] = order[0] === "1 begins" ? ["1", "2"] : ["2", "1"];
  expect(order).toEqual(
    [first, first, second, second].map((n, i) => `${n} ${i % 2 ? "ends" : "begins"}`),
  );
  await store.withLock("a", () => run("b / ../x", "3"));
  const abort = new AbortController();
  await store.withLock("a", async () => {
    const waiting = store.withLock("a", async () => {}, { signal: abort.signal });
    abort.abort();
    await expectRejection(waiting, CredentialStoreError, "cancelled");
  });
});

test("a memory store cannot be changed through what it gave", async () => {
  const store = memoryStore();
  const given = await store.update((current) => ({ ...current, login: { ...LOGIN } }));
  Object.assign(given.login ?? {}, { access_token: "other" });
  expect(await store.load()).toMatchObject({ login: LOGIN });
});
