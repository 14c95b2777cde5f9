import { once } from "node:events";

const servers = [];

/** Serves on a free loopback port. @returns the origin */
export async function listen(server) {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

/** Ends every server that listens, with its connections. */
export function endServers() {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}
