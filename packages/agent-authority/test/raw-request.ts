import { once } from "node:events";
import { connect } from "node:net";

/** An answer as it came over the connection. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends bytes that no HTTP client would send, and reads the answer up to its length. The connection is closed then. */
export async function sendRaw(base: string, bytes: string): Promise<RawAnswer> {
  const { hostname, port } = new URL(base);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.setEncoding("utf8");
  socket.write(bytes);
  let received = "";
  socket.on("data", (chunk: string) => {
    received += chunk;
    if (parse(received) !== undefined) socket.destroy();
  });
  await once(socket, "close");
  const answer = parse(received);
  if (answer === undefined) throw new Error(`no answer, only ${JSON.stringify(received)}`);
  return answer;
}

function parse(received: string): RawAnswer | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [line = "", ...lines] = received.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  const text = received.slice(end + 4);
  if (Buffer.byteLength(text) < Number(headers["content-length"])) return undefined;
  return { status: Number(line.split(" ")[1]), headers, text };
}
