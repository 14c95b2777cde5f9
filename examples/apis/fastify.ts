import { createVerifier } from "@countersign/agent-assertion";
import { agentAssertion } from "@countersign/agent-assertion/fastify";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import Fastify from "fastify";

const { AUTHORITY = "http://127.0.0.1:4600", PORT = "4700" } = process.env;
const verifier = createVerifier({ directory: remoteDirectory(AUTHORITY) });

const app = Fastify();
app.get("/healthz", async () => "ok\n");
void app.register((api, _, done) => {
  void api.register(agentAssertion, { verifier });
  api.post("/v1/hello", async ({ agent }) => {
    return { agent: agent.agentRuntimeId, task: agent.taskId, account: agent.accountId };
  });
  done();
});
console.log(`listening on ${await app.listen({ host: "127.0.0.1", port: Number(PORT) })}`);
