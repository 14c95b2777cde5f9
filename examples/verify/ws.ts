import { createServer, type Server } from "node:http";
import type { AssertionVerifier } from "@countersign/agent-assertion";
import { admitUpgrades, agentOf } from "@countersign/agent-assertion/ws";
import { WebSocketServer } from "ws";

export function createWebSocketApi(verifier: AssertionVerifier): Server {
  const webSockets = new WebSocketServer({ noServer: true });
  webSockets.on("connection", (socket, request) => {
    const { agentRuntimeId } = agentOf(request);
    socket.on("message", (data) => socket.send(`${agentRuntimeId}: ${data}`));
  });
  const server = createServer((_, response) => void response.writeHead(404).end());
  server.on(
    "upgrade",
    admitUpgrades(webSockets, { verifier, onError: (error) => console.error(error) }),
  );
  return server;
}
