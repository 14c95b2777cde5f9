import { Hono } from "hono";
import { type AgentEnv, agentAssertion } from "../../src/hono.js";
import type { AssertionVerifier } from "../../src/index.js";

export function createHonoApi(verifier: AssertionVerifier): Hono<AgentEnv> {
  const app = new Hono<AgentEnv>();
  app.get("/healthz", (c) => c.text("ok\n"));
  app.use("/v1/*", agentAssertion({ verifier, onError: console.error }));
  app.post("/v1/echo", async (c) => {
    return c.json({ agent: c.get("agent").agentRuntimeId, body: await c.req.json() });
  });
  return app;
}
