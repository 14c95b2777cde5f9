import type { AssertionVerifier } from "@countersign/agent-assertion";
import { type AgentEnv, agentAssertion } from "@countersign/agent-assertion/hono";
import { Hono } from "hono";

export function createHonoApi(verifier: AssertionVerifier): Hono<AgentEnv> {
  const app = new Hono<AgentEnv>();
  app.get("/healthz", (c) => c.text("ok\n"));
  app.use("/v1/*", agentAssertion({ verifier, onError: (error) => console.error(error) }));
  app.post("/v1/echo", async (c) => {
    return c.json({ agent: c.get("agent").agentRuntimeId, body: await c.req.json() });
  });
  return app;
}
