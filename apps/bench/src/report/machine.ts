import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, totalmem } from "node:os";

/** Facts that a figure depends on. None of them names a host, a user or a path. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  /** The commit that was measured; with `-dirty` if files differed from it. Absent outside a clone. */
  readonly commit?: string;
  readonly date: string;
}

/** Reads the facts of this machine. */
export function readMachine(): Machine {
  const commit = readCommit();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    ...(commit === undefined ? {} : { commit }),
    date: new Date().toISOString().slice(0, 10),
  };
}

function readCommit(): string | undefined {
  try {
    const argv = ["describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"];
    return execFileSync("git", argv, {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "ignore"],
    })
      .toString()
      .trim();
  } catch {
    return undefined;
  }
}
