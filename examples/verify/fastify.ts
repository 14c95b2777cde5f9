import type { AssertionVerifier } from "@countersign/agent-assertion";
import { agentAssertion } from "@countersign/agent-assertion/fastify";
import Fastify, { type FastifyInstance } from "fastify";

export function createFastifyApi(verifier: AssertionVerifier): FastifyInstance {
  const app = Fastify();
  app.get("/healthz", async () => "ok\n");
  void app.register((api, _, done) => {
    void api.register(agentAssertion, { verifier, onError: (error) => console.error(error) });
    api.post("/v1/echo", async (request) => {
      return { agent: request.agent.agentRuntimeId, body: request.body };
    });
    done();
  });
  return app;
}
