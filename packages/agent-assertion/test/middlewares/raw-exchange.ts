import { connect } from "node:net";

/** An answer as it came over a socket. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A request as it goes over a socket: nothing is added but `Host`. */
export interface RawRequest {
  readonly method?: string;
  readonly target?: string;
  readonly lines?: readonly string[];
  /** With its framing in `lines`. */
  readonly body?: Uint8Array | string;
}

/** What makes a request an upgrade to WebSocket. */
export const UPGRADE_LINES: readonly string[] = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** Sends one request on a connection of its own, byte for byte, and reads the answer to its end. */
export async function exchange(port: number, request: RawRequest): Promise<RawAnswer> {
  const { method = "GET", target = "/", lines = [], body = "" } = request;
  const socket = connect(port, "127.0.0.1");
  socket.write(
    [`${method} ${target} HTTP/1.1`, "Host: other.example", ...lines, "", ""].join("\r\n"),
  );
  socket.write(body);
  let received = "";
  for await (const chunk of socket.setEncoding("latin1")) {
    received += chunk;
    const answer = parse(received, method === "HEAD");
    // The connection may still be taking the body: leaving the loop ends it.
    if (answer !== undefined) return answer;
  }
  throw new Error(`the connection ended within the answer: ${received}`);
}

/**
 * Sends one upgrade on a connection of its own. Where it is accepted, the first message, which is a text, is the body of the answer, and its status 200;
 * else the server must end the connection behind its answer.
 */
export async function exchangeUpgrade(port: number, request: RawRequest): Promise<RawAnswer> {
  const { method = "GET", target = "/", lines = [], body = "" } = request;
  const socket = connect(port, "127.0.0.1");
  const head = [`${method} ${target} HTTP/1.1`, "Host: other.example", ...UPGRADE_LINES, ...lines];
  socket.write([...head, "", ""].join("\r\n"));
  socket.write(body);
  let received = "";
  for await (const chunk of socket.setEncoding("latin1")) {
    received += chunk;
    if (!received.startsWith("HTTP/1.1 101 ")) continue;
    const answer = parse(received, true);
    if (answer === undefined) continue;
    const message = textOf(answer.body);
    if (message !== undefined) return { ...answer, status: 200, body: message };
  }
  const answer = parse(received, method === "HEAD");
  if (answer?.headers.get("connection") === "close") return answer;
  throw new Error(`no whole answer that ends the connection: ${received}`);
}

// A frame of a server: one text of at most 64 KiB (RFC 6455 §5.2). `undefined` while it is not whole.
function textOf(frame: string): string | undefined {
  const bytes = Buffer.from(frame, "latin1");
  if (bytes.length < 4) return undefined;
  const isLong = bytes[1] === 126;
  const start = isLong ? 4 : 2;
  const end = start + (isLong ? bytes.readUInt16BE(2) : bytes.readUInt8(1));
  return bytes.length < end ? undefined : bytes.toString("utf8", start, end);
}

// `undefined` while it is not whole.
function parse(text: string, isHead: boolean): RawAnswer | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const rest = text.slice(end + 4);
  const body = isHead ? rest : bodyOf(rest, headers);
  return body === undefined
    ? undefined
    : { status: Number(statusLine.split(" ")[1]), headers, body };
}

function bodyOf(rest: string, headers: ReadonlyMap<string, string>): string | undefined {
  if (headers.get("transfer-encoding") === "chunked") return joinChunks(rest);
  return rest.length < Number(headers.get("content-length") ?? 0) ? undefined : rest;
}

function joinChunks(text: string): string | undefined {
  let rest = text;
  let body = "";
  while (rest.includes("\r\n")) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (size === 0) return body;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
  return undefined;
}
