import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Load, Loaded, LoadMessage } from "./load-generator.ts";

const PROGRAM = new URL("load-generator.ts", import.meta.url);

/** A process that sends requests. Its connections stay open from one load to the next. */
export class LoadGenerator implements AsyncDisposable {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(PROGRAM);
  }

  /** @throws if an answer is neither 2xx nor 503, or a connection ends */
  async send(load: Load): Promise<Loaded> {
    const answered = once(this.#child, "message");
    this.#child.send(load);
    const [message] = (await answered) as [LoadMessage];
    if ("error" in message) throw new Error(message.error);
    return message.loaded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill();
    await exited;
  }
}

/** The bytes of one request with a body, for a keep-alive connection. */
export function requestText(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): string {
  const fields = { host: new URL(url).host, ...headers, "content-length": String(body.length) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}
