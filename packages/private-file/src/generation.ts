import type { BigIntStats } from "node:fs";
import { lstat } from "node:fs/promises";
import { errnoOf } from "./store-denied.js";

/** Names the content of a file: every write here makes a new file, so inode and time tell them apart. */
export function generationOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.mtimeNs}:${stats.size}`;
}

/** The generation that a path has now; `undefined`: there is nothing. */
export async function loadGeneration(path: string): Promise<string | undefined> {
  try {
    return generationOf(await lstat(path, { bigint: true }));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
