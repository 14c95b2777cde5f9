import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, it, onTestFinished, vi } from "vitest";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { findDatabaseFile, tightenDatabaseFile } from "./prepare-database-file.js";

async function openFolder(): Promise<string> {
  const folder = await temporaryDirectory();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

it.runIf(process.getuid)("refuses the file of another user, unless root asks", async () => {
  const file = join(await openFolder(), "database");
  await writeFile(file, "", { mode: 0o600 });
  const own = process.getuid?.() ?? 0;
  const getuid = vi.spyOn(process, "getuid");
  onTestFinished(() => getuid.mockRestore());
  getuid.mockReturnValue(own + 1);
  await expectRejection(findDatabaseFile(file), AgentAuthorityError, "store_denied");
  getuid.mockReturnValue(own);
  expect(await findDatabaseFile(file)).toBe(true);
});

it("names a folder that does not exist, to find a file and to tighten it", async () => {
  const file = join(await openFolder(), "none", "database");
  await expectRejection(findDatabaseFile(file), AgentAuthorityError, "config_invalid");
  await expectRejection(tightenDatabaseFile(file), AgentAuthorityError, "config_invalid");
});
