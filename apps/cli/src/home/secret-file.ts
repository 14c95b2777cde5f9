import { stat } from "node:fs/promises";
import { CliError } from "../text/cli-error.js";

// Polled: a volume of Kubernetes changes its files by a link in a folder above, which no watch of the file sees.
const POLL_MS = 1_000;

/** Looks at files of secrets. */
export interface SecretFileWatch extends Disposable {
  /** Does work when one of the files is not as it was when the watch was opened, or at the last look. Looks each second. */
  start(work: () => void): void;
}

/**
 * Notes how the files are now. Open it before they are read: a change between the two is found at the first look.
 *
 * @param sources - `env:VAR` and `file:PATH` as {@link readSecretSource} takes them; variables, pipes and devices never change
 */
export async function openSecretFileWatch(sources: readonly string[]): Promise<SecretFileWatch> {
  const states = new Map<string, string>();
  for (const source of sources) {
    const path = await secretFileOf(source);
    if (path !== undefined) states.set(path, await stateOf(path));
  }
  let timer: NodeJS.Timeout | undefined;
  const look = async (work: () => void) => {
    let changed = false;
    for (const [path, before] of states) {
      const state = await stateOf(path);
      states.set(path, state);
      changed ||= state !== before;
    }
    if (timer === undefined) return;
    if (changed) work();
    timer.refresh();
  };
  return {
    start(work) {
      if (states.size > 0) timer = setTimeout(() => void look(work), POLL_MS).unref();
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** Which file it is and when it was written last; empty while there is none. */
async function stateOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch {
    return "";
  }
}

/** Returns the file of a source that can be read again: not a variable, and not a pipe, which would keep its reader waiting. */
export async function secretFileOf(source: string): Promise<string | undefined> {
  const path = /^file:(.+)$/s.exec(source)?.[1];
  if (path === undefined) return undefined;
  try {
    return (await stat(path)).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes sure that what was a file is one still, if it is there. The reader of a pipe would wait for its writer, and the process for that reader.
 *
 * @throws {CliError} `config_invalid`
 */
export async function requireFileStill(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isFile()) return;
  throw new CliError("config_invalid", `${path} is no file any more`, {
    hint: "put a file there: a pipe or a device is read at the start alone",
  });
}
