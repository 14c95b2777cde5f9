import { createServer } from "node:http";
import { createRequire } from "node:module";
import { WebSocketServer } from "ws";
import { type AgentRequest, admitUpgrades, agentOf } from "../../src/ws.js";
import { exchangeUpgrade } from "./raw-exchange.js";
import { heard } from "./scene.js";
import { ADMIN, type Framework, idOf, serve } from "./site.js";

const require = createRequire(import.meta.url);
// The types of the next major hold for what is used here.
const { Server: PreviousServer }: { Server: typeof WebSocketServer } = require("ws-7");

function webSocketServer(name: string, SocketServer: typeof WebSocketServer): Framework {
  return {
    name,
    isUpgrade: true,
    async start({ verifier, onError, clientAddress, onMissing, ...hooks }) {
      let handled = 0;
      const webSockets = new SocketServer({ noServer: true });
      webSockets.on("connection", (socket, request) => {
        handled += 1;
        const agent = onMissing === "pass" ? (request as AgentRequest).agent : agentOf(request);
        socket.send(JSON.stringify(heard(idOf(agent), request.url ?? "", new Uint8Array())));
      });
      const options = { verifier, onError, clientAddress };
      const open = admitUpgrades(webSockets, { ...options, onMissing, ...hooks });
      const admin = admitUpgrades(webSockets, { ...options, policy: ADMIN });
      const server = createServer();
      server.on("upgrade", (request, socket, head) => {
        (request.url === "/admin" ? admin : open)(request, socket, head);
      });
      return serve(server, () => handled, exchangeUpgrade);
    },
  };
}

export const webSocketServers: readonly Framework[] = [
  webSocketServer("ws on node:http", WebSocketServer),
  webSocketServer("ws 7 on node:http", PreviousServer),
];
