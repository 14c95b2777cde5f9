import type { AssertionVerifier } from "@countersign/agent-assertion";
import { type AgentState, agentAssertion } from "@countersign/agent-assertion/koa";
import Koa from "koa";

export function createKoaApi(verifier: AssertionVerifier): Koa<AgentState> {
  const app = new Koa<AgentState>();
  app.use(async (ctx, next) => {
    if (ctx.path === "/healthz") ctx.body = "ok\n";
    else await next();
  });
  app.use(agentAssertion({ verifier, onError: (error) => console.error(error) }));
  app.use(async (ctx) => {
    const chunks: Buffer[] = [];
    for await (const chunk of ctx.req) chunks.push(chunk);
    const body: unknown = JSON.parse(String(Buffer.concat(chunks)));
    ctx.body = { agent: ctx.state.agent.agentRuntimeId, body };
  });
  return app;
}
