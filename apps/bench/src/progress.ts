import type { WriteStream } from "node:tty";

/** Says what is being done. */
export interface Progress {
  /** What is being done now. On a terminal it replaces the previous line; elsewhere only a new row is told. */
  readonly update: (text: string) => void;
  /** What came of it. */
  readonly done: (text: string) => void;
}

/** Makes a progress line on a stream, which may be a terminal, a file or a pipe. */
export function createProgress(stream: WriteStream): Progress {
  const { isTTY } = stream;
  return {
    update: (text) => void (isTTY && stream.write(`\r\u001b[K${text}`)),
    done: (text) => void stream.write(isTTY ? `\r\u001b[K${text}\n` : `${text}\n`),
  };
}
