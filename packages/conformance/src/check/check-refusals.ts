import { withAssertion } from "@countersign/agent-assertion/fetch";
import { AuthorityClient, AuthorityError } from "@countersign/agent-identity/authority-client";
import { AgentKey, type CredentialSource } from "@countersign/agent-key";
import { isCode } from "@countersign/agent-key/codes";
import { codeOfStatus, createProblem } from "@countersign/agent-key/problem";
import type { RefusalsFile } from "../schema/refusals-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

type Answer = RefusalsFile["answers"][number];
type Sent = RefusalsFile["sent"][number];

/** The checks of a file of form `countersign.refusals/1`. */
export function checkRefusals(file: RefusalsFile): readonly VectorCheck[] {
  return [
    ...file.answers.map((vector, index) => ({
      name: nameOf("answers", index, vector),
      expected: outcome({ code: String(vector.code) }),
      run: async () => outcome({ code: String(await codeOf(vector)) }),
    })),
    ...file.statuses.map((vector, index) => ({
      name: nameOf("statuses", index, vector, vector.status),
      expected: outcome({ code: vector.code }),
      run: () => outcome({ code: codeOfStatus(vector.status) }),
    })),
    ...file.sent.map((vector, index) => ({
      name: nameOf("sent", index, vector, `${vector.status} ${vector.code}`),
      expected: outcome({
        status: vector.status,
        www_authenticate: String(vector.www_authenticate),
        content_type: "application/problem+json",
        cache_control: "no-store",
        code: vector.code,
        error: JSON.stringify({ type: vector.error_type, code: vector.code }),
      }),
      run: () => send(vector),
    })),
  ];
}

// A status that stands for a code which no vector has.
const STATUS = 418;
const RESOURCE = "https://api.example";
const AUTHORITY = "https://authority.example";

async function codeOf(vector: Answer): Promise<string | null> {
  const headers = new Headers();
  for (const line of [vector.www_authenticate ?? []].flat()) {
    headers.append("www-authenticate", line);
  }
  if (vector.content_type !== null) headers.set("content-type", vector.content_type);
  if (vector.authority === true) return codeFromAuthority(vector.body, headers);
  return codeFromResource(vector.body, headers);
}

async function codeFromResource(body: string, headers: Headers): Promise<string | null> {
  let read: string | undefined;
  const ids = { authority: AUTHORITY, agentRuntimeId: "agent-1", taskId: "task-1" };
  const key = AgentKey.generate();
  const source: CredentialSource = {
    credential: async () => ({ kind: "agent", ...ids, key }),
    refused: async (_, { code }) => {
      read = code;
      return undefined;
    },
    accepted: () => {},
  };
  const fetch = async () => new Response(body, { status: 401, headers });
  await withAssertion(fetch, source, { origins: [RESOURCE] })(RESOURCE);
  return read ?? null;
}

function send({ code, status, other_status: isOther }: Sent): string {
  if (!isCode(code)) throw new Error("not a code");
  const problem = createProblem(code, "why", isOther === true ? { status } : {});
  const { code: said, error } = JSON.parse(problem.body);
  return outcome({
    status: problem.status,
    www_authenticate: problem.headers["www-authenticate"] ?? "null",
    content_type: problem.headers["content-type"] ?? "",
    cache_control: problem.headers["cache-control"] ?? "",
    code: said,
    error: JSON.stringify({ type: error.type, code: error.code }),
  });
}

async function codeFromAuthority(body: string, headers: Headers): Promise<string | null> {
  const fetch = async () => new Response(Buffer.from(body), { status: STATUS, headers });
  const client = new AuthorityClient({ authority: AUTHORITY, fetch });
  try {
    await client.whoami("token");
  } catch (error) {
    if (!AuthorityError.is(error)) throw error;
    return error.code === codeOfStatus(STATUS) ? null : error.code;
  }
  throw new Error("a refusal was taken for an answer");
}
