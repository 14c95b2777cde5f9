import { createServer, type Server } from "node:http";
import { createVerifier } from "../../src/index.js";
import { requireAgent } from "../../src/node.js";
import { remoteDirectory } from "../../src/remote-directory.js";

export function createApi(authority: string, token?: string): Server {
  const verifier = createVerifier({ directory: remoteDirectory(authority, { token }) });
  return createServer(
    requireAgent(verifier, (_, response, { agentRuntimeId, accountId, taskId }) => {
      response.end(`${agentRuntimeId} of ${accountId} in ${taskId}\n`);
    }),
  );
}
