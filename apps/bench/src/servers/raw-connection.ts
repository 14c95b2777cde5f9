import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

/** What came back for one request. */
export interface RawAnswer {
  readonly status: number;
  /** Of `Retry-After`; 0 if the field is absent. */
  readonly retryAfterSeconds: number;
}

/**
 * One keep-alive connection that sends requests from ready text, one after the other. It costs the generator far less than an HTTP client, so
 * that the server under test is what limits the pace. It reads answers with a `Content-Length`, or in chunks.
 */
export class RawConnection {
  readonly #socket: Socket;
  #received = "";
  #answered: ((answer: RawAnswer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #isOpen = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", (error) => this.#failed?.(error));
    socket.on("close", () => {
      this.#isOpen = false;
      this.#failed?.(new Error("the server closed the connection"));
    });
  }

  static open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => resolve(new RawConnection(socket)));
      socket.once("error", reject);
    });
  }

  /** Whether the server has left it open. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends one request and resolves when the whole answer is there. */
  exchange(request: string): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(request, "latin1");
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.#received.slice(0, headEnd + HEAD_END.length);
    if (!isWhole(head, this.#received)) return;
    this.#received = "";
    this.#answered?.({
      status: Number(head.slice(9, 12)),
      retryAfterSeconds: Number(/\r\nretry-after: *(\d+)/i.exec(head)?.[1] ?? 0),
    });
  }
}

function isWhole(head: string, received: string): boolean {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) return received.endsWith("0\r\n\r\n");
  return received.length >= head.length + Number(length);
}
