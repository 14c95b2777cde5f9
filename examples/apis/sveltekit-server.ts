// src/routes/v1/hello/+server.ts of a SvelteKit application
import { createVerifier } from "@countersign/agent-assertion";
import { withAgent } from "@countersign/agent-assertion/handler";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

/** What is used of SvelteKit's `RequestEvent`. */
interface RequestEvent {
  readonly request: Request;
  getClientAddress(): string;
}

const authority = process.env.AUTHORITY ?? "http://127.0.0.1:4600";
const verifier = createVerifier({ directory: remoteDirectory(authority) });

const answer = withAgent<[RequestEvent]>(
  verifier,
  async (_request, agent) => {
    return Response.json({
      agent: agent.agentRuntimeId,
      task: agent.taskId,
      account: agent.accountId,
    });
  },
  { clientAddress: (_request, event) => event.getClientAddress() },
);

export const POST = (event: RequestEvent) => answer(event.request, event);
