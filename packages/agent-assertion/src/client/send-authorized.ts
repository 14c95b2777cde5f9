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
  /** Discards an answer that will not be read. */
  discard(answer: Answer): void;
}

/**
 * Sends one hop of an entered request, with a credential if the hop is to have one. If that credential is refused, sends the hop once more
 * with another one.
 */
export async function sendAuthorized<Answer>(
  request: AuthorizedRequest,
  wire: Wire<Answer>,
): Promise<Answer> {
  try {
    const answer = await sendHop(request, wire);
    request.ended(wire.statusOf(answer));
    return answer;
  } catch (error) {
    request.failed(error);
    throw error;
  }
}

async function sendHop<Answer>(request: AuthorizedRequest, wire: Wire<Answer>): Promise<Answer> {
  const send = async () => {
    const fields = await request.fields(wire.outgoing);
    const traced = request.traceFields;
    // The credential last: no propagator takes its place.
    const all = traced.length === 0 ? fields : [...traced, ...fields];
    return await request.run(() => wire.send(all));
  };
  const answer = await send();
  if (!request.isRefusal(wire.statusOf(answer))) {
    request.accepted();
    return answer;
  }
  if (!(await isRepeated(request, wire, answer))) return answer;
  wire.discard(answer);
  const repeated = await send();
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
    // The caller gets the source's error instead of the answer: the error says more.
    wire.discard(answer);
    throw error;
  }
}
