import { createServer } from "node:http";
import { createVerifier } from "@countersign/agent-assertion";
import { requireAgent } from "@countersign/agent-assertion/node";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

const { AUTHORITY = "http://127.0.0.1:4600", PORT = "4700" } = process.env;
const verifier = createVerifier({ directory: remoteDirectory(AUTHORITY) });

const server = createServer(
  requireAgent(verifier, (_request, response, { agentRuntimeId, taskId }) =>
    response.end(`${agentRuntimeId} in ${taskId}`),
  ),
);
server.listen(Number(PORT), "127.0.0.1", () => console.log("listening", server.address()));
