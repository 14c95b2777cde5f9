import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "@countersign/testing";
import { expect, it, onTestFinished } from "vitest";
import { inspectStore } from "./inspect-store.js";
import { openStore } from "./open-store.js";

it("leaves the file of a database as it is, and empty side files that the next store removes", async () => {
  const folder = await temporaryDirectory();
  onTestFinished(() => folder.remove());
  const file = join(folder.path, "authority.db");
  await (await openStore(`sqlite:${file}`)).close();
  const before = readFileSync(file, "base64");
  await inspectStore(`sqlite:${file}`);
  expect(readFileSync(file, "base64")).toBe(before);
  expect(readdirSync(folder.path)).toEqual([
    "authority.db",
    "authority.db-shm",
    "authority.db-wal",
  ]);
  expect(statSync(`${file}-wal`).size).toBe(0);
  await (await openStore(`sqlite:${file}`)).close();
  expect(readdirSync(folder.path)).toEqual(["authority.db"]);
});
