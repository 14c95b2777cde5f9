import { readFile, readlink } from "node:fs/promises";
import { errnoOf } from "./store-denied.js";

// Field 22 of /proc/PID/stat, counted from the one behind the name, which may hold anything.
const START_TIME = 19;
const DEAD_STATES = new Set(["Z", "X", "x"]);
const STOPPED_STATES = new Set(["T", "t"]);

/** What can be known of another process: it has certainly ended, it certainly goes on, or nothing; also when somebody stopped it. */
export type ProcessLife = "over" | "running" | "unknown";

let own: Promise<string> | undefined;

/**
 * Returns a mark of this process, by which others on this machine can see whether it still lives: boot, process namespace, id and start time.
 * So neither a process with a reused id nor one of another container is taken for it. Empty if the system does not give these (only Linux
 * does).
 */
export function markOfThisProcess(): Promise<string> {
  own ??= describe();
  return own;
}

/**
 * Returns what this process can learn of the process with this mark.
 *
 * @param mark - as {@link markOfThisProcess} gave it to that process
 */
export async function findProcessLife(mark: string): Promise<ProcessLife> {
  const [boot, namespace, id = "", startTime] = mark.split(" ");
  const [ownBoot, ownNamespace] = (await markOfThisProcess()).split(" ");
  if (!ownBoot || boot !== ownBoot || namespace !== ownNamespace || !/^\d+$/.test(id)) {
    return "unknown";
  }
  try {
    const found = await loadState(id);
    if (found.startTime !== startTime || DEAD_STATES.has(found.state)) return "over";
    return STOPPED_STATES.has(found.state) ? "unknown" : "running";
  } catch (error) {
    // ESRCH: it ended while it was looked at.
    return errnoOf(error) === "ENOENT" || errnoOf(error) === "ESRCH" ? "over" : "unknown";
  }
}

async function describe(): Promise<string> {
  if (process.platform !== "linux") return "";
  try {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    const namespace = await readlink("/proc/self/ns/pid");
    const { id, startTime } = await loadState("self");
    // A /proc that is not this process's own does not show the others either.
    return id === `${process.pid}` ? [boot, namespace, id, startTime].join(" ") : "";
  } catch {
    // No /proc, or one without these values: then only this process's signs of life count.
    return "";
  }
}

async function loadState(id: string): Promise<{ id: string; state: string; startTime: string }> {
  const text = await readFile(`/proc/${id}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    id: text.slice(0, text.indexOf(" ")),
    state: fields[0] ?? "",
    startTime: fields[START_TIME] ?? "",
  };
}
