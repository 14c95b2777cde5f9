import { createSocket } from "node:dgram";
import { once } from "node:events";

const PORT = 53;
// RFC 1035 §4.1.1: a response, the query's wish for recursion repeated, recursion available, "the name does not exist".
const RESPONSE = 0x80;
const RECURSION_DESIRED = 0x01;
const NO_SUCH_NAME = 0x83;

/**
 * Answers on loopback, where a sealed machine asks for names, that no name exists. Without an answer Codex waits five seconds for the
 * names of its vendor in each run.
 */
export async function startNameServer(): Promise<{ close(): void }> {
  const server = createSocket("udp4");
  server.on("message", (query, { port, address }) => {
    if (query.length < 12) return;
    const answer = Buffer.from(query);
    answer[2] = RESPONSE | ((query[2] ?? 0) & RECURSION_DESIRED);
    answer[3] = NO_SUCH_NAME;
    server.send(answer, port, address);
  });
  server.bind(PORT, "127.0.0.1");
  await once(server, "listening");
  return { close: () => server.close() };
}
