import {
  AuthorityClient,
  AuthorityClock,
  parseAgentRevocationResponse,
  parseBiscuitResponseHeaders,
  parseWhoamiResponse,
} from "@countersign/agent-identity/authority-client";
import type { AnswersFile } from "../schema/answers-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";
import { answering } from "./answering.js";

type Clock = AnswersFile["clocks"][number];
type Exchange = AnswersFile["exchanges"][number];
type Revocation = AnswersFile["revocations"][number];

const AUTHORITY = "https://authority.example";

const REFUSED = "bad_response";
const TAKEN = outcome({ taken: true });
const HANDED_UP = outcome({ handed_up: true });

/** The checks of a file of form `countersign.answers/1`. */
export function checkAnswers(file: AnswersFile): readonly VectorCheck[] {
  return [
    ...file.human.map((vector, index) => ({
      name: nameOf("human", index, vector, vector.body),
      expected:
        vector.account_id === null || vector.user_id === null
          ? REFUSED
          : outcome({ account_id: vector.account_id, user_id: vector.user_id }),
      run: () => {
        const { accountId, userId } = parseWhoamiResponse(vector.body);
        return outcome({ account_id: accountId, user_id: userId });
      },
    })),
    ...file.revocations.map((vector, index) => ({
      name: nameOf("revocations", index, vector, vector.body),
      expected: orRefused("agent_runtime_id", vector.agent_runtime_id),
      run: () => revoked(vector),
    })),
    ...file.biscuits.map((vector, index) => ({
      name: nameOf("biscuits", index, vector),
      expected: orRefused("biscuit", vector.biscuit),
      run: () => outcome({ biscuit: parseBiscuitResponseHeaders(vector.headers) }),
    })),
    ...file.exchanges.map((vector, index) => ({
      name: nameOf("exchanges", index, vector),
      expected: vector.code ?? TAKEN,
      run: () => take(vector),
    })),
    ...file.clocks.map((vector, index) => ({
      name: nameOf("clocks", index, vector),
      expected:
        vector.offset_seconds === null
          ? HANDED_UP
          : outcome({ offset_seconds: vector.offset_seconds }),
      run: () => learn(vector),
    })),
  ];
}

function orRefused(member: string, value: string | null): string {
  return value === null ? REFUSED : outcome({ [member]: value });
}

async function revoked({ body, requested }: Revocation): Promise<string> {
  const { agentRuntimeId } =
    requested === undefined
      ? parseAgentRevocationResponse(body)
      : await new AuthorityClient({ authority: AUTHORITY, fetch: answering(body) }).revokeAgent(
          "token",
          requested.agent_runtime_id,
        );
  return outcome({ agent_runtime_id: agentRuntimeId });
}

async function take({ status, content_type: type, body }: Exchange): Promise<string> {
  const headers: Record<string, string> = type === null ? {} : { "content-type": type };
  // Bytes, because a text would bring a media type of its own.
  const fetch = async () => new Response(Buffer.from(body), { status, headers });
  await new AuthorityClient({ authority: AUTHORITY, fetch }).whoami("token");
  return TAKEN;
}

async function learn(vector: Clock): Promise<string> {
  const clock = new AuthorityClock(() => vector.now_ms);
  const { headers, sent_at_ms: sentAt, received_at_ms: receivedAt } = vector;
  clock.observe({ headers, sentAt, receivedAt });
  const { code, used_offset_seconds: used } = vector;
  // The one question that the client may ask brings nothing.
  const isLearned = await clock.learn(code, used, async () => {});
  return isLearned ? outcome({ offset_seconds: clock.offsetSeconds }) : HANDED_UP;
}
