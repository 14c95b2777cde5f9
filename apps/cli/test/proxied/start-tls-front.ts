import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const read = (name: string) => readFileSync(new URL(name, import.meta.url));

/** The certificate of `authority.test` and `localhost`, which is its own authority; valid until 2125. */
export const CERTIFICATE_FILE = fileURLToPath(new URL("authority-cert.pem", import.meta.url));

/** Starts a server that speaks TLS for a port of loopback. It ends with the test. Returns its port. */
export async function startTlsFront(port: number): Promise<number> {
  const sockets = new Set<TLSSocket>();
  const options = { cert: read("authority-cert.pem"), key: read("authority-key.pem") };
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    const onward = connect(port, "127.0.0.1");
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy()).on("close", () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
