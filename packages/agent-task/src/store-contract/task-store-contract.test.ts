import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { temporaryDirectory } from "@countersign/testing";
import { describe, test } from "vitest";
import { fileTaskStore } from "../store/file-task-store.js";
import { memoryTaskStore } from "../store/memory-task-store.js";
import type { CompleteTaskStore } from "../store/task-store.js";
import { type OptionalTaskStoreMember, taskStoreContract } from "./task-store-contract.js";

const MEMBERS: readonly OptionalTaskStoreMember[] = ["list", "remove", "withLock", "isLocked"];

async function startFolder() {
  const home = await temporaryDirectory();
  const directory = `${home.path}/threads`;
  const close = () => home[Symbol.asyncDispose]();
  return { directory, open: () => fileTaskStore(directory), close };
}

async function startUnreadable(scope: string) {
  const place = await startFolder();
  await mkdir(place.directory, { mode: 0o700 });
  const name = createHash("sha256").update(scope).digest("hex");
  await writeFile(`${place.directory}/${name}.json`, '{"version":1,', { mode: 0o600 });
  return place;
}

describe("a file task store", () => {
  const options = { start: startFolder, startUnreadable, members: MEMBERS };
  for (const { name, run } of taskStoreContract(options)) test(name, run);
});

describe("a memory task store", () => {
  const options = { start: () => placeOf(memoryTaskStore()), members: MEMBERS };
  for (const { name, run } of taskStoreContract(options)) test(name, run);
});

function placeOf(store: CompleteTaskStore) {
  return { open: () => store };
}
