import { createServer } from "node:http";
import { createVerifier } from "@countersign/agent-assertion";
import { requireAgent } from "@countersign/agent-assertion/node";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

const verifier = createVerifier({ directory: remoteDirectory("http://127.0.0.1:4600") });

const server = createServer(
  requireAgent(
    verifier,
    (_request, response, { agentRuntimeId, taskId }) =>
      response.end(`${agentRuntimeId} in ${taskId}`),
    { onError: (error) => console.error(error) },
  ),
);
server.listen(4700, "127.0.0.1", () => console.log("listening", server.address()));
