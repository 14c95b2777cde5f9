import { fstatSync, fsync, readdirSync } from "node:fs";
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "@countersign/agent-key";
import { runProcess } from "@countersign/testing";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, test, vi } from "vitest";
import { openPrivateDirectory } from "./open-private-directory.js";
import { readPrivateFile } from "./read-private-file.js";
import { withFileLock } from "./with-file-lock.js";
import { removeTemporaryFiles, writePrivateFile } from "./write-private-file.js";

vi.mock(import("node:fs"), async (load) => {
  const fs = await load();
  return { ...fs, fsync: vi.fn(fs.fsync) as unknown as typeof fs.fsync };
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("not tested: files of another user (only root can set them up)");
const STRANGER = 12_345;

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

describe("a private directory is refused", () => {
  test("when it is a symbolic link, even to a private directory", async () => {
    const root = await openDirectory();
    await mkdir(join(root, "real"), { mode: 0o700 });
    await symlink(join(root, "real"), join(root, "link"));
    for (const create of [true, false]) {
      for (const path of [join(root, "link"), `${join(root, "link")}/`]) {
        const opening = openPrivateDirectory(path, { create });
        const error = await expectRejection(opening, StoreError, "store_denied");
        expect(error.message).toContain("is a symbolic link");
      }
    }
  });

  test("when it is a file, lies below one, or is a dangling link", async () => {
    const root = await openDirectory();
    await writeFile(join(root, "file"), "");
    await symlink(join(root, "nowhere"), join(root, "dangling"));
    for (const name of ["file", "file/below", "dangling"]) {
      const opening = openPrivateDirectory(join(root, name));
      await expectRejection(opening, StoreError, "store_denied");
    }
    expect((await readdir(root)).sort()).toEqual(["dangling", "file"]);
  });

  test.skipIf(!isRoot)(
    "when it belongs to another user (needs root to set up) (G-H2)",
    async () => {
      const root = await openDirectory();
      await mkdir(join(root, "foreign"), { mode: 0o700 });
      await chown(join(root, "foreign"), STRANGER, STRANGER);
      const opening = openPrivateDirectory(join(root, "foreign"));
      await expectRejection(opening, StoreError, "store_denied");
    },
  );
});

describe("a private directory", () => {
  test("is not made when it is only looked for", async () => {
    const root = await openDirectory();
    expect(await openPrivateDirectory(join(root, "a"), { create: false })).toBeUndefined();
    expect(await readdir(root)).toEqual([]);
  });

  test("is made with its parents, and tightened where others could enter", async () => {
    const root = await openDirectory();
    const path = join(root, "a", "b");
    expect(await openPrivateDirectory(path)).toBe(path);
    expect([await modeOf(path), await modeOf(join(root, "a"))]).toEqual(["700", "700"]);
    await chmod(path, 0o755);
    await openPrivateDirectory(path, { create: false });
    expect(await modeOf(path)).toBe("700");
  });
});

describe("a private file is refused", () => {
  test("when it is a symbolic link, for reading and for writing (G-H2)", async () => {
    const root = await openDirectory();
    await writeFile(join(root, "target"), "theirs", { mode: 0o600 });
    const link = join(root, "link");
    await symlink(join(root, "target"), link);
    await expectRejection(readPrivateFile(link), StoreError, "store_denied");
    await expectRejection(writePrivateFile(link, "x"), StoreError, "store_denied");
    expect(await readFile(join(root, "target"), "utf8")).toBe("theirs");
    expect((await readdir(root)).sort()).toEqual(["link", "target"]);
  });

  test("when it is a directory or a named pipe", async () => {
    const root = await openDirectory();
    await mkdir(join(root, "directory"));
    const made = await runProcess("mkfifo", [join(root, "pipe")]);
    expect(made.code).toBe(0);
    for (const name of ["directory", "pipe"]) {
      const path = join(root, name);
      await expectRejection(readPrivateFile(path), StoreError, "store_denied");
      await expectRejection(writePrivateFile(path, "x"), StoreError, "store_denied");
    }
  });

  test("when it is no UTF-8 or over 16 MiB", async () => {
    const path = join(await openDirectory(), "file");
    await writeFile(path, Uint8Array.of(0x7b, 0xff));
    await expectRejection(readPrivateFile(path), StoreError, "store_corrupt");
    await truncate(path, 16 * 1024 * 1024 + 1);
    await expectRejection(readPrivateFile(path), StoreError, "store_corrupt");
  });

  test.skipIf(!isRoot)(
    "when it belongs to another user (needs root to set up) (G-H2)",
    async () => {
      const path = join(await openDirectory(), "file");
      await writeFile(path, "", { mode: 0o600 });
      await chown(path, STRANGER, STRANGER);
      await expectRejection(readPrivateFile(path), StoreError, "store_denied");
      await expectRejection(writePrivateFile(path, "x"), StoreError, "store_denied");
    },
  );
});

describe("a private file", () => {
  test("that does not exist is undefined", async () => {
    expect(await readPrivateFile(join(await openDirectory(), "file"))).toBeUndefined();
  });

  test("is 0600 whatever the umask and the file before it were, and leaves nothing beside it (G-H1)", async () => {
    const root = await openDirectory();
    const path = join(root, "file");
    await writeFile(path, "old", { mode: 0o644 });
    await chmod(path, 0o666);
    expect(await readPrivateFile(path)).toMatchObject({ text: "old" });
    expect(await modeOf(path)).toBe("600");
    await chmod(path, 0o666);
    for (const mask of [0, 0o777]) {
      const umask = process.umask(mask);
      try {
        expect(await writePrivateFile(path, "new")).toBe(true);
      } finally {
        process.umask(umask);
      }
      expect(await modeOf(path)).toBe("600");
    }
    expect(await readPrivateFile(path)).toMatchObject({ text: "new" });
    expect(await readdir(root)).toEqual(["file"]);
  });

  test("is synced before it takes its place, and its folder after that", async () => {
    const root = await openDirectory();
    const path = join(root, "file");
    const steps: string[] = [];
    const real = await vi.importActual<typeof import("node:fs")>("node:fs");
    const spy = vi.mocked(fsync).mockImplementation((descriptor, done) => {
      const stats = fstatSync(descriptor);
      const isInPlace = readdirSync(root).includes("file");
      steps.push(
        `${stats.isDirectory() ? "folder" : `${stats.size} bytes`}, ${isInPlace ? "in place" : "aside"}`,
      );
      real.fsync(descriptor, done);
    });
    try {
      await writePrivateFile(path, "text");
    } finally {
      spy.mockReset();
    }
    expect(steps).toEqual(["4 bytes, aside", "folder, in place"]);
  });

  test("is not replaced when it changed since it was read, appeared or disappeared", async () => {
    const root = await openDirectory();
    const path = join(root, "file");
    expect(await writePrivateFile(path, "1", { expectedGeneration: undefined })).toBe(true);
    expect(await writePrivateFile(path, "2", { expectedGeneration: undefined })).toBe(false);
    const read = await readPrivateFile(path);
    await writePrivateFile(path, "3");
    expect(await writePrivateFile(path, "4", { expectedGeneration: read?.generation })).toBe(false);
    expect(await readPrivateFile(path)).toMatchObject({ text: "3" });
    expect(await readdir(root)).toEqual(["file"]);
  });

  test("is not replaced when the check before the rename fails", async () => {
    const root = await openDirectory();
    const path = join(root, "file");
    await writePrivateFile(path, "1");
    const beforeRename = () => Promise.reject(new Error("no"));
    await expect(writePrivateFile(path, "2", { beforeRename })).rejects.toThrow("no");
    expect(await readPrivateFile(path)).toMatchObject({ text: "1" });
    expect(await readdir(root)).toEqual(["file"]);
  });

  test("is written in its lock first, so that what is left of it goes with the lock", async () => {
    const root = await openDirectory();
    const [path, lock] = [join(root, "file"), join(root, "lock")];
    await withFileLock(lock, async (held) => {
      const whileWritten: string[][] = [];
      const beforeRename = async () => {
        whileWritten.push(await readdir(root), await readdir(lock));
      };
      await writePrivateFile(path, "text", { lock: held, beforeRename });
      const temporary = expect.stringMatching(/^file\.[0-9a-f]{24}\.tmp$/);
      expect(whileWritten).toEqual([["lock"], expect.arrayContaining([temporary])]);
    });
    expect(await readFile(path, "utf8")).toBe("text");
    expect(await readdir(root)).toEqual(["file"]);
  });

  test("loses temporary files that a killed process left, and nothing else", async () => {
    const root = await openDirectory();
    const names = [
      "file",
      "file.0123456789abcdef01234567.tmp",
      "file.tmp",
      "other.0123456789abcdef01234567.tmp",
    ];
    for (const name of names) await writeFile(join(root, name), "");
    await removeTemporaryFiles(join(root, "file"));
    expect((await readdir(root)).sort()).toEqual([
      "file",
      "file.tmp",
      "other.0123456789abcdef01234567.tmp",
    ]);
  });
});
