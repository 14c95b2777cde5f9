import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startTestAuthority, temporaryDirectory } from "@countersign/testing";
import { expect, test } from "vitest";
import { HEADER_CACHE_FILE } from "../src/header-cache.js";
import { answerQuickly } from "../src/quick-answer.js";
import { countersign, expectError, output } from "./command-line.js";

test("a header that was just printed is printed again, until anything it was made from changes", async () => {
  await using folder = await temporaryDirectory();
  await using authority = await startTestAuthority();
  const home = join(folder.path, "home");
  const env = { COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "1" };
  const input = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  await output(["login", "--authority", authority.url, "--token-stdin"], { home, input });
  // The first one registers; the second finds everything in place and is kept.
  await output(["header"], { home, env });
  const printed = await output(["header"], { home, env });
  const file = join(home, HEADER_CACHE_FILE);
  const { signed_at } = JSON.parse(await readFile(file, "utf8"));
  const quickly = (args: readonly string[], changed: Record<string, string> = {}) => {
    const written: string[] = [];
    const stdout = { write: (text: string) => written.push(text) };
    const environment = { COUNTERSIGN_HOME: home, ...env, ...changed };
    return answerQuickly(args, environment, stdout, () => signed_at * 1000)
      ? written.join("")
      : undefined;
  };
  expect(quickly(["header"])).toBe(printed);
  expect(quickly(["header", "--thread", "cli"])).toBe(printed);
  expect(quickly(["header", "--thread", "other"])).toBeUndefined();
  expect(quickly(["header", "--json"])).toBeUndefined();
  expect(quickly(["header", "--disable", "use_agent_identity"])).toBeUndefined();
  expect(quickly(["header"], { COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "0" })).toBeUndefined();
  expect(quickly(["header"], { COUNTERSIGN_THREAD: "other" })).toBeUndefined();
  expect(quickly(["header"], { COUNTERSIGN_AUTHORITY: "https://other.example" })).toBeUndefined();

  await output(["features", "disable", "use_agent_identity"], { home });
  expect(quickly(["header"])).toBeUndefined();
  await output(["logout"], { home });
  expect(quickly(["header"])).toBeUndefined();
  expectError(await countersign(["header"], { home, env }), "not_logged_in", 3);
});

test("a header that was not kept is no error", async () => {
  await using folder = await temporaryDirectory();
  await writeFile(join(folder.path, HEADER_CACHE_FILE), "broken");
  const stdout = { write: () => expect.unreachable() };
  expect(answerQuickly(["header"], { COUNTERSIGN_HOME: folder.path }, stdout)).toBe(false);
  expect(answerQuickly(["header"], { COUNTERSIGN_HOME: "relative" }, stdout)).toBe(false);
});
