import { createServer, type Server } from "node:http";
import { AssertionRejected, createProblem, createVerifier } from "../../src/index.js";
import { remoteDirectory } from "../../src/remote-directory.js";

export function createApi(authority: string, token?: string): Server {
  const verifier = createVerifier({ directory: remoteDirectory(authority, { token }) });
  return createServer(async (request, response) => {
    try {
      const caller = await verifier.verify(request.headersDistinct.authorization);
      response.end(`${caller.agentRuntimeId} of ${caller.accountId} in ${caller.taskId}\n`);
    } catch (error) {
      // Whatever is no rejection means that the authority could not be asked: try again later.
      const code = AssertionRejected.is(error) ? error.code : "server_error";
      const { status, headers, body } = createProblem(code);
      response.writeHead(status, headers).end(body);
    }
  });
}
