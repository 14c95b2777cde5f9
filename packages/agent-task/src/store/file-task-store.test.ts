import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { chmod, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { StoreError } from "@countersign/agent-key";
import { temporaryDirectory } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, onTestFinished, test } from "vitest";
import type { StoredThread } from "../schema/stored-thread.js";
import { fileTaskStore } from "./file-task-store.js";

const thread: StoredThread = {
  version: 1,
  scope: "нить/../1",
  color: "blue",
  tasks: [
    {
      authority: "https://authority.example",
      agent_runtime_id: "agent-1",
      task_id: "task-1",
      expires_at: "2026-04-16T00:00:00Z",
      registered_at: "2026-03-23T12:00:00Z",
      note: "mine",
    },
  ],
};
const hashOf = (scope: string) => createHash("sha256").update(scope).digest("hex");
const name = `${hashOf(thread.scope)}.json`;

async function startDirectory() {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  return { home: home.path, directory: `${home.path}/threads` };
}

test.each(["", ".", "threads"])(
  "refuses the path %j, which the working directory would decide (G-H3)",
  (path) => {
    expect(() => fileTaskStore(path)).toThrow(StoreError);
    expect(() => fileTaskStore(path)).toThrow(expect.objectContaining({ code: "config_invalid" }));
    expect(() => fileTaskStore(path)).toThrow("directory must be an absolute path");
  },
);

test("refuses a symbolic link in place of the directory or of a file", async () => {
  const { home, directory } = await startDirectory();
  const real = `${home}/elsewhere`;
  const store = fileTaskStore(real);
  await store.save(thread.scope, thread);
  await symlink(real, directory);
  await expectRejection(fileTaskStore(directory).load("a"), StoreError, "store_denied");
  await writeFile(`${home}/bait.json`, JSON.stringify({ ...thread, scope: "a" }));
  const link = `${real}/${createHash("sha256").update("a").digest("hex")}.json`;
  await symlink(`${home}/bait.json`, link);
  await expectRejection(store.load("a"), StoreError, "store_denied");
});

test("makes nothing by reading", async () => {
  const { home, directory } = await startDirectory();
  const store = fileTaskStore(directory);
  expect(await store.load("a")).toBeUndefined();
  expect(await store.list()).toEqual([]);
  expect(await store.remove("a")).toBe(false);
  expect(await readdir(home)).toEqual([]);
});

test("keeps a thread in an owner-only file named by the hash of its scope", async () => {
  const { directory } = await startDirectory();
  const store = fileTaskStore(directory);
  await store.save(thread.scope, thread);
  expect(await readdir(directory)).toEqual([name]);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await stat(`${directory}/${name}`)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(`${directory}/${name}`, "utf8"))).toEqual(thread);
  expect(await fileTaskStore(directory).load(thread.scope)).toEqual(thread);
});

test("tightens what others may read, at the latest when it is written", async () => {
  const { directory } = await startDirectory();
  const store = fileTaskStore(directory);
  await store.save(thread.scope, thread);
  await chmod(directory, 0o755);
  await chmod(`${directory}/${name}`, 0o644);
  await store.save(thread.scope, thread);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await stat(`${directory}/${name}`)).mode & 0o777).toBe(0o600);
});

test("lists threads, and looks at no other file", async () => {
  const { directory } = await startDirectory();
  const store = fileTaskStore(directory);
  await store.save(thread.scope, thread);
  await store.save("b", { ...thread, scope: "b", tasks: [] });
  await writeFile(`${directory}/notes.json`, "{");
  expect((await store.list()).map(({ scope }) => scope).sort()).toEqual(["b", thread.scope]);
});

test("lists nothing of a thread that is removed while the others are read", async () => {
  const { directory } = await startDirectory();
  const scopes = ["a", "b"].sort((one, other) => (hashOf(one) < hashOf(other) ? -1 : 1));
  const [first = "", second = ""] = scopes.map((scope) => `${directory}/${hashOf(scope)}.json`);
  const onUnreadable = () => rmSync(second);
  const store = fileTaskStore(directory, { onUnreadable });
  for (const scope of scopes) await store.save(scope, { ...thread, scope });
  await writeFile(first, "{");
  expect(await store.list()).toEqual([]);
});

test("lists many threads without keeping everything else waiting", async () => {
  const { directory } = await startDirectory();
  const store = fileTaskStore(directory);
  await store.save("a", { ...thread, scope: "a" });
  for (let index = 0; index < 200; index += 1) {
    const [file, text] = [hashOf(`${index}`), JSON.stringify({ ...thread, scope: `${index}` })];
    await writeFile(`${directory}/${file}.json`, text, { mode: 0o600 });
  }
  let rounds = 0;
  let listed = false;
  const tick = () => {
    rounds += 1;
    if (!listed) setImmediate(tick);
  };
  setImmediate(tick);
  expect(await store.list()).toHaveLength(201);
  listed = true;
  // One for each 50 that were read; the folder itself is read in one or two.
  expect(rounds).toBeGreaterThanOrEqual(4);
});

test("leaves nothing of a removed thread in its directory", async () => {
  const { directory } = await startDirectory();
  const store = fileTaskStore(directory);
  await store.save(thread.scope, thread);
  await store.remove(thread.scope);
  expect(await readdir(directory)).toEqual([]);
});
