// app/v1/hello/route.ts of a Next.js application
import { createVerifier } from "@countersign/agent-assertion";
import { withAgent } from "@countersign/agent-assertion/handler";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

const authority = process.env.AUTHORITY ?? "http://127.0.0.1:4600";
const verifier = createVerifier({ directory: remoteDirectory(authority) });

export const POST = withAgent(verifier, async (_request, agent) => {
  return Response.json({
    agent: agent.agentRuntimeId,
    task: agent.taskId,
    account: agent.accountId,
  });
});
