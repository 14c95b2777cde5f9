// Around the tests of a package: the workers and the programs that they start compile each module once, not once per process. Killed
// processes leave nothing in the cache and take from it what others left.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default async function compileOnce() {
  if (process.env.NODE_COMPILE_CACHE) return undefined;
  const cache = await mkdtemp(join(tmpdir(), "countersign-compiled-"));
  process.env.NODE_COMPILE_CACHE = cache;
  return () => rm(cache, { recursive: true, force: true, maxRetries: 3 });
}
