import { createVerifier } from "@countersign/agent-assertion";
import { type AgentEnv, agentAssertion } from "@countersign/agent-assertion/hono";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { Hono } from "hono";

function createApi(authority: string): Hono<AgentEnv> {
  const verifier = createVerifier({ directory: remoteDirectory(authority) });
  const app = new Hono<AgentEnv>();
  app.get("/healthz", (c) => c.text("ok\n"));
  app.use("/v1/*", agentAssertion({ verifier }));
  app.post("/v1/hello", (c) => {
    const { agentRuntimeId, taskId, accountId } = c.get("agent");
    return c.json({ agent: agentRuntimeId, task: taskId, account: accountId });
  });
  return app;
}

// One for all requests of an isolate: its directory keeps what the authority answered.
let api: Hono<AgentEnv> | undefined;

// A Worker with `compatibility_flags = ["nodejs_compat"]`, and AUTHORITY among its variables.
export default {
  fetch(request: Request, env: { readonly AUTHORITY: string }) {
    api ??= createApi(env.AUTHORITY);
    return api.fetch(request, env);
  },
};
