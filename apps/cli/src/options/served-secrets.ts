import type { Run } from "../config/run.js";
import { openSecretFileWatch, requireFileStill, secretFileOf } from "../home/secret-file.js";
import { toReportedError } from "../home/to-reported-error.js";
import { onHangup } from "../process/on-hangup.js";

/** A secret of a server. */
export interface ServedSecret<T> {
  /** What it is, in the plural if there may be several, for notes and warnings. */
  readonly what: string;
  readonly isPlural?: boolean;
  /** Where it is: `env:VAR` and `file:PATH`. If none is a file, it is read once: a variable or a pipe has nothing new. */
  readonly sources: readonly string[];
  /** Reads it. Throws if it is not valid. */
  readonly read: () => Promise<T>;
  /** Takes another value than the one that was read last. Throws if it is not valid; everything stays as it was then. */
  readonly take: (value: T) => void | Promise<void>;
}

/**
 * The secrets of a server that are in files. Each is read at the start, and again when its file changes and on SIGHUP. One that cannot be
 * read, or is not valid, stays as it was, with a warning.
 */
export class ServedSecrets implements Disposable {
  readonly #run: Run;
  readonly #reloads: ((why: string) => Promise<void>)[] = [];
  readonly #watches: (() => void)[] = [];
  readonly #open: Disposable[] = [];
  #last = Promise.resolve();

  constructor(run: Run) {
    this.#run = run;
  }

  /** Reads a secret, and keeps it for {@link ServedSecrets.start}. */
  async read<T>({ what, isPlural, sources, read, take }: ServedSecret<T>): Promise<T> {
    // Looked at first: a pipe may be gone after it was read.
    const files = await Promise.all(sources.map(secretFileOf));
    const watch = await openSecretFileWatch(sources);
    this.#open.push(watch);
    const first = await read();
    if (files.every((file) => file === undefined)) return first;
    let last = first;
    const [was, stays] =
      isPlural === true ? ["were", "stay as they were"] : ["was", "stays as it was"];
    const reload = async (why: string) => {
      const { output, signal } = this.#run;
      try {
        for (const file of files) if (file !== undefined) await requireFileStill(file);
        const value = await read();
        if (value === last) return;
        await take(value);
        last = value;
        output.note(`${why}: ${what} ${was} read again`);
      } catch (error) {
        const { message, code } = toReportedError(error, signal);
        output.warn(`${why}: ${what} ${stays}: ${message} (${code})`);
      }
    };
    this.#reloads.push(reload);
    this.#watches.push(() =>
      watch.start(() => void this.#enqueue(() => reload("its file changed"))),
    );
    return first;
  }

  /** From now on the secrets are read again, one after the other. To be called when what takes them is there. */
  start({ onSighup }: { readonly onSighup: boolean } = { onSighup: true }): void {
    for (const watch of this.#watches) watch();
    if (!onSighup) return;
    this.#open.push(
      onHangup(() =>
        this.#enqueue(async () => {
          for (const reload of this.#reloads) await reload("SIGHUP");
        }),
      ),
    );
  }

  [Symbol.dispose](): void {
    for (const open of this.#open) open[Symbol.dispose]();
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work);
    return this.#last;
  }
}
