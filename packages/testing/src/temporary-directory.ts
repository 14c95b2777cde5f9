import { chmod, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own that goes away with everything in it. */
export interface TemporaryDirectory extends AsyncDisposable {
  /** Absolute, without symbolic links, 0700. */
  readonly path: string;
  /** Removes it, also where a test took the write permission away. */
  remove(): Promise<void>;
}

/** Makes a temporary folder. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "countersign-test-")));
  const remove = async () => {
    await makeWritable(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  };
  return { path, remove, [Symbol.asyncDispose]: remove };
}

async function makeWritable(path: string): Promise<void> {
  await chmod(path, 0o700).catch(() => undefined);
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isDirectory()) await makeWritable(join(path, entry.name));
  }
}
