import type { Socket } from "node:net";

/** Keeps every byte that arrives on a socket and waits for the ones a test expects. Text is latin1: one character for each byte. */
export class ByteWatcher {
  /** Settles when the connection is closed, however that happened. */
  readonly closed: Promise<void>;
  readonly #wake = new Set<() => void>();
  #received = "";
  #isClosed = false;

  constructor(socket: Socket) {
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#wakeAll();
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        this.#wakeAll();
        resolve();
      });
    });
  }

  get text(): string {
    return this.#received;
  }

  /** Waits until the text has arrived (`times` times) and returns all that came so far. Rejects when the connection closes before. */
  async until(text: string, times = 1): Promise<string> {
    while (this.#received.split(text).length <= times) {
      if (this.#isClosed)
        throw new Error(`closed before ${JSON.stringify(text)}: ${this.#received}`);
      await new Promise<void>((resolve) => this.#wake.add(resolve));
    }
    return this.#received;
  }

  #wakeAll(): void {
    for (const wake of this.#wake) wake();
    this.#wake.clear();
  }
}
