import type { Code } from "@countersign/agent-key";
import type { AuthorizedRequest } from "./authorized-request.js";
import type { Fields, Outgoing } from "./authorizer.js";

/** How a transport sends one hop, and what it finds in the answer. */
export interface Wire<Answer> {
  readonly outgoing: Outgoing;
  /** Whether the same body can be sent once more. */
  readonly isReplayable: boolean;
  send(fields: Fields): Promise<Answer>;
  statusOf(answer: Answer): number;
  codeOf(answer: Answer): Promise<Code | undefined>;
  /** Gives up an answer that nobody will read. */
  discard(answer: Answer): void;
}

/**
 * Sends one hop of a request that was entered: with a credential where it is to have one, and once more with another when that is refused.
 */
export async function sendAuthorized<Answer>(
  request: AuthorizedRequest,
  wire: Wire<Answer>,
): Promise<Answer> {
  const { outgoing } = wire;
  const answer = await wire.send(request.fields(outgoing));
  if (!request.isRefusal(wire.statusOf(answer))) {
    request.accepted();
    return answer;
  }
  if (!(await isRepeated(request, wire, answer))) return answer;
  wire.discard(answer);
  const repeated = await wire.send(request.fields(outgoing));
  if (!request.isRefusal(wire.statusOf(repeated))) request.accepted();
  return repeated;
}

async function isRepeated<Answer>(
  request: AuthorizedRequest,
  wire: Wire<Answer>,
  answer: Answer,
): Promise<boolean> {
  const code = await wire.codeOf(answer);
  try {
    return await request.refused(code, wire.isReplayable);
  } catch (error) {
    // Nobody will get the answer: the source's error says more.
    wire.discard(answer);
    throw error;
  }
}
