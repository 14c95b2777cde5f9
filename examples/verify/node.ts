import { createServer, type Server } from "node:http";
import { createVerifier } from "@countersign/agent-assertion";
import { requireAgent } from "@countersign/agent-assertion/node";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

export function createApi(authority: string, token?: string): Server {
  const verifier = createVerifier({ directory: remoteDirectory(authority, { token }) });
  return createServer(
    requireAgent(verifier, (_, response, { agentRuntimeId, accountId, taskId }) => {
      response.end(`${agentRuntimeId} of ${accountId} in ${taskId}\n`);
    }),
  );
}
