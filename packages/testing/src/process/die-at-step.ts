import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";
import { basename } from "node:path";

const CHANNELS = ["countersign:agent-identity", "countersign:private-file"];

const WRITE_STEPS: readonly string[] = [
  "lock_taken credentials.json.lock",
  "temporary_made credentials.json",
  "temporary_written credentials.json",
  "temporary_synced credentials.json",
  "renamed credentials.json",
  "directory_synced credentials.json",
  "lock_released credentials.json.lock",
];

/** The steps of a registration, as {@link dieAtStep} prints them. */
export const REGISTRATION_STEPS: readonly string[] = [
  "lock_taken named.lock",
  "registering",
  ...WRITE_STEPS,
  "key_stored",
  "requesting",
  "answered",
  ...WRITE_STEPS,
  "registered",
  "lock_released named.lock",
];

/** The steps of a rotation, as {@link dieAtStep} prints them. */
export const ROTATION_STEPS: readonly string[] = [
  "lock_taken named.lock",
  "rotating",
  ...WRITE_STEPS,
  "next_key_stored",
  "requesting",
  "answered",
  ...WRITE_STEPS,
  "rotated",
  "lock_released named.lock",
];

/** When this process is killed, and what it prints until then. */
export interface DeathOptions {
  /** The step behind which it is killed, counted from 0. */
  readonly step?: number | undefined;
  /** The event behind which it is killed. */
  readonly after?: string | undefined;
  /** What it prints in front of each step. Default: nothing. */
  readonly mark?: string | undefined;
  /** Where it prints: 1 or 2. */
  readonly to: number;
}

/** Prints each step of registrations, rotations and file writes, and kills this process right behind one of them. */
export function dieAtStep({ step, after, mark = "", to }: DeathOptions): void {
  let count = 0;
  const look = (message: unknown) => {
    const { event, path } = { path: undefined, ...Object(message) };
    // Whether there is one depends on which process was killed before.
    if (event === "lock_broken") return;
    const file = path === undefined ? "" : ` ${basename(path).replace(/^[0-9a-f]{32}/, "named")}`;
    writeSync(to, `${mark}${event}${file}\n`);
    if (count === step || (after !== undefined && event === after)) {
      process.kill(process.pid, "SIGKILL");
    }
    count += 1;
  };
  for (const channel of CHANNELS) subscribe(channel, look);
}
