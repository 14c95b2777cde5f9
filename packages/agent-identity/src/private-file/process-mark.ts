import { readFile, readlink } from "node:fs/promises";
import { errnoOf } from "./store-denied.js";

// Field 22 of /proc/PID/stat, counted from the one behind the name, which may hold anything.
const START_TIME = 19;
const DEAD_STATES = new Set(["Z", "X", "x"]);

let own: Promise<string> | undefined;

/**
 * Marks this process so that others on this machine can tell whether it still lives: boot, process namespace, id and start time, so that
 * neither a reused id nor another container's process is taken for it. Empty where the system does not tell (other systems than Linux).
 */
export function markOfThisProcess(): Promise<string> {
  own ??= describe();
  return own;
}

/**
 * Tells whether the process of a mark has certainly ended. False where that cannot be known from here.
 *
 * @param mark - as {@link markOfThisProcess} gave it to that process
 */
export async function isProcessOver(mark: string): Promise<boolean> {
  const [boot, namespace, id = "", startTime] = mark.split(" ");
  const [ownBoot, ownNamespace] = (await markOfThisProcess()).split(" ");
  if (!ownBoot || boot !== ownBoot || namespace !== ownNamespace || !/^\d+$/.test(id)) return false;
  try {
    const found = await loadState(id);
    return found.startTime !== startTime || DEAD_STATES.has(found.state);
  } catch (error) {
    // ESRCH: it ended while it was looked at.
    return errnoOf(error) === "ENOENT" || errnoOf(error) === "ESRCH";
  }
}

async function describe(): Promise<string> {
  if (process.platform !== "linux") return "";
  try {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    const namespace = await readlink("/proc/self/ns/pid");
    const { id, startTime } = await loadState("self");
    // Another /proc than this process's own says nothing about others either.
    return id === `${process.pid}` ? [boot, namespace, id, startTime].join(" ") : "";
  } catch {
    // No /proc, or one that tells nothing: then its signs of life alone count.
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
