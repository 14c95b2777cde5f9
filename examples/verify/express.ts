import type { AssertionVerifier } from "@countersign/agent-assertion";
import { agentAssertion, agentOf } from "@countersign/agent-assertion/express";
import express, { type Express } from "express";

export function createExpressApi(verifier: AssertionVerifier): Express {
  const app = express();
  app.get("/healthz", (_, response) => void response.send("ok\n"));
  app.use(agentAssertion({ verifier, onError: (error) => console.error(error) }), express.json());
  app.post("/v1/echo", (request, response) => {
    response.json({ agent: agentOf(request).agentRuntimeId, body: request.body });
  });
  app.delete(
    "/v1/everything",
    agentAssertion({ verifier, policy: { capability: "admin" } }),
    (_, response) => void response.sendStatus(204),
  );
  return app;
}
