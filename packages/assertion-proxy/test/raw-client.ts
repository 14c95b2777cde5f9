import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { ByteWatcher } from "./byte-watcher.js";

/** A client that sends exactly the bytes it is told. */
export interface RawClient {
  readonly socket: Socket;
  readonly bytes: ByteWatcher;
  /** Sends text, one byte for each character. */
  send(text: string): void;
}

/** An answer, taken apart. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** @param to - a URL, or the path of a Unix socket */
export async function connectRaw(to: string): Promise<RawClient> {
  const socket = to.startsWith("/") ? connect(to) : connectTo(new URL(to));
  socket.on("error", () => {});
  const bytes = new ByteWatcher(socket);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return { socket, bytes, send: (text) => void socket.write(text, "latin1") };
}

function connectTo({ hostname, port }: URL): Socket {
  return connect(Number(port), hostname);
}

/** Sends bytes on a connection of their own and returns the first answer that has a Content-Length or ends in chunks. */
export async function sendRaw(to: string, text: string): Promise<RawAnswer> {
  const client = await connectRaw(to);
  client.send(text);
  return readAnswer(client);
}

export async function readAnswer(client: RawClient): Promise<RawAnswer> {
  const start = await client.bytes.until("\r\n\r\n");
  const head = start.slice(0, start.indexOf("\r\n\r\n") + 2);
  const length = /^content-length: (\d+)\r$/im.exec(head)?.[1];
  const from = head.length + 2;
  if (length === undefined) {
    const all = await client.bytes.until("\r\n0\r\n");
    return { status: statusIn(head), head, body: all.slice(from) };
  }
  while (client.bytes.text.length < from + Number(length)) {
    await once(client.socket, "data");
  }
  const body = client.bytes.text.slice(from, from + Number(length));
  return { status: statusIn(head), head, body };
}

function statusIn(head: string): number {
  return Number(head.slice(9, 12));
}
