import { connect } from "node:net";

/** An answer as it came over a socket. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A request as it goes over a socket: nothing is added but `Host` and `Connection: close`. */
export interface RawRequest {
  readonly method?: string;
  readonly target?: string;
  readonly lines?: readonly string[];
  /** With its framing in `lines`. */
  readonly body?: Uint8Array | string;
}

/** Sends one request on a connection of its own, byte for byte, and reads the answer to its end. */
export async function exchange(port: number, request: RawRequest): Promise<RawAnswer> {
  const { method = "GET", target = "/", lines = [], body = "" } = request;
  const socket = connect(port, "127.0.0.1");
  const head = [`${method} ${target} HTTP/1.1`, "Host: other.example", "Connection: close"];
  socket.write([...head, ...lines, "", ""].join("\r\n"));
  socket.write(body);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return parse(Buffer.concat(chunks).toString());
}

function parse(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const rest = text.slice(end + 4);
  const body = headers.get("transfer-encoding") === "chunked" ? joinChunks(rest) : rest;
  return { status: Number(statusLine.split(" ")[1]), headers, body };
}

function joinChunks(text: string): string {
  let rest = text;
  let body = "";
  for (;;) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (!(size > 0)) return body;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
}
