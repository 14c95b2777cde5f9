import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, it, onTestFinished } from "vitest";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { assertBackupSource, assertBackupTarget, toTargetError } from "./backup-target.js";

async function openFiles() {
  const folder = await temporaryDirectory();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const source = join(folder.path, "database");
  await writeFile(source, "content");
  return { source, folder: folder.path };
}

it("takes a path below a file, or below nothing, for a place where nothing is", async () => {
  const { source, folder } = await openFiles();
  for (const path of [join(source, "below"), join(folder, "none", "below")]) {
    await expectRejection(assertBackupSource(path), AgentAuthorityError, "config_invalid");
    expect(await assertBackupTarget(source, path, false)).toBeUndefined();
  }
});

it("says of a path that cannot be looked at why, and that it is denied", async () => {
  const { folder } = await openFiles();
  const path = join(folder, "x".repeat(5_000));
  await expectRejection(assertBackupSource(path), AgentAuthorityError, "store_denied");
  await mkdir(join(folder, "folder"));
  await expectRejection(
    assertBackupSource(join(folder, "folder")),
    AgentAuthorityError,
    "config_invalid",
  );
});

it("words what the file system says of the place of a backup, and nothing else", () => {
  const errorOf = (code: string) => Object.assign(new Error("trouble"), { code });
  const codes = ["ENOENT", "ENOTDIR", "EACCES", "ENOSPC"].map(
    (code) => toTargetError(errorOf(code), "/backup")?.code,
  );
  expect(codes).toEqual(["config_invalid", "config_invalid", "store_denied", "store_denied"]);
  expect(toTargetError(errorOf("ERR_SQLITE_ERROR"), "/backup")).toBeUndefined();
  expect(toTargetError(new Error("trouble"), "/backup")).toBeUndefined();
});
