import express, { type Express } from "express";
import { agentAssertion, agentOf } from "../../src/express.js";
import type { AssertionVerifier } from "../../src/index.js";

export function createExpressApi(verifier: AssertionVerifier): Express {
  const app = express();
  app.get("/healthz", (_, response) => void response.send("ok\n"));
  app.use(agentAssertion({ verifier, onError: console.error }), express.json());
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
