import Fastify, { type FastifyInstance } from "fastify";
import { agentAssertion } from "../../src/fastify.js";
import type { AssertionVerifier } from "../../src/index.js";

export function createFastifyApi(verifier: AssertionVerifier): FastifyInstance {
  const app = Fastify();
  app.get("/healthz", async () => "ok\n");
  void app.register((api, _, done) => {
    void api.register(agentAssertion, { verifier });
    api.post("/v1/echo", async (request) => {
      return { agent: request.agent.agentRuntimeId, body: request.body };
    });
    done();
  });
  return app;
}
