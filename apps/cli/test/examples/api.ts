import { createServer } from "node:http";
import { AssertionRejected, createProblem, createVerifier } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

const { AUTHORITY = "http://127.0.0.1:4600", PORT = "4700" } = process.env;
const verifier = createVerifier({ directory: remoteDirectory(AUTHORITY) });

const server = createServer((request, response) => {
  verifier.verify(request.headersDistinct.authorization).then(
    ({ agentRuntimeId, taskId }) => response.end(`${agentRuntimeId} in ${taskId}`),
    (error) => {
      const problem = createProblem(AssertionRejected.is(error) ? error.code : "server_error");
      response.writeHead(problem.status, problem.headers).end(problem.body);
    },
  );
});
server.listen(Number(PORT), "127.0.0.1", () => console.log("listening", server.address()));
