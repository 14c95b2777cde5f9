import {
  type AgentRecord,
  createVerifier,
  type MemoryTaskRecord,
  memoryDirectory,
  memoryReplayStore,
  parseDirectoryRecord,
  type RequestFacts,
} from "@countersign/agent-assertion";
import { bindRequest } from "@countersign/agent-assertion/sign";
import { AgentKey, decodeBase64, parseTimestamp } from "@countersign/agent-key";
import { signatureBase } from "@countersign/agent-key/message-signature";
import type { RequestsFile } from "../schema/requests-file.js";
import { nameOf, outcome, runCheck, type VectorCheck } from "../vector-check.js";

const AUTHORITY = "https://authority.example";

type Case = RequestsFile["cases"][number];
type Request = Case["requests"][number];
type Bind = RequestsFile["bind"][number];

interface Setting {
  readonly now: number;
  readonly maxSkewSeconds: number;
  readonly publicUrl: string;
  readonly agents: readonly AgentRecord[];
  readonly tasks: readonly MemoryTaskRecord[];
}

/**
 * The checks of a file of form `countersign.requests/1`.
 *
 * @throws {CountersignError} if the file's clock, agents or tasks are not valid
 */
export function checkRequests(file: RequestsFile): readonly VectorCheck[] {
  const setting: Setting = {
    now: parseTimestamp(file.now),
    maxSkewSeconds: file.max_skew_seconds,
    publicUrl: file.public_url,
    agents: file.agents.map((record) => parseDirectoryRecord(record).agent),
    tasks: file.tasks.map(toTask),
  };
  return [
    ...file.bind.map((vector, index) => ({
      name: nameOf("bind", index, vector),
      expected: outcome({
        signature_base: vector.signature_base,
        ...(vector.content_digest === undefined ? {} : { content_digest: vector.content_digest }),
        signature_input: vector.signature_input,
        signature: vector.signature,
      }),
      run: () => bind(vector),
    })),
    ...file.cases.map((vector, index) => ({
      name: nameOf("cases", index, vector),
      expected: vector.requests.map(({ expected }) => expected).join(", "),
      run: () => judge(vector, setting),
    })),
  ];
}

function toTask(task: RequestsFile["tasks"][number]): MemoryTaskRecord {
  return {
    agentRuntimeId: task.agent_runtime_id,
    taskId: task.task_id,
    state: task.state,
    ...(task.expires_at === undefined ? {} : { expiresAt: parseTimestamp(task.expires_at) }),
  };
}

function bind(vector: Bind): string {
  const body = bytesOf(vector.body_base64);
  const key = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
  const fields = new Map(
    bindRequest({
      credential: {
        kind: "agent",
        authority: AUTHORITY,
        agentRuntimeId: vector.agent_runtime_id,
        taskId: vector.task_id,
        key,
      },
      authorization: vector.authorization,
      method: vector.method,
      targetUri: vector.target_uri,
      body,
    }),
  );
  const digest = fields.get("content-digest");
  const made = fields.get("signature-input") ?? "";
  // Each call has a nonce of its own. A signature that holds with it is, by this deterministic scheme, the one of the vector with its nonce.
  const signatureInput = made.replace(/;nonce="[\w-]{22}"/, `;nonce="${vector.nonce}"`);
  const signature = fields.get("signature") ?? "";
  const isSigned = key.publicKey.verify(
    baseOf(vector, made),
    decodeBase64(signature.replace(/^.*?=:|:$/g, "")),
  );
  return outcome({
    signature_base: baseOf(vector, signatureInput),
    ...(digest === undefined ? {} : { content_digest: digest }),
    signature_input: signatureInput,
    signature: isSigned
      ? `agent-assertion=:${key.signText(baseOf(vector, signatureInput))}:`
      : signature,
  });
}

// The base that the vector's own values give: that it is what was signed, the equal signature shows.
function baseOf(vector: Bind, signatureInput: string): string {
  const [targetLine = ""] = /^"@target-uri": .*$/m.exec(vector.signature_base) ?? [];
  return signatureBase(
    [
      ["@method", vector.method],
      ["@target-uri", targetLine.slice('"@target-uri": '.length)],
      ["authorization", vector.authorization],
      ...(vector.content_digest === undefined
        ? []
        : [["content-digest", vector.content_digest] as const]),
    ],
    signatureInput.slice(signatureInput.indexOf("=") + 1),
  );
}

// A server may or may not know beforehand whether there is a body: both must lead to the same answers.
async function judge(vector: Case, setting: Setting): Promise<string> {
  const known = await judgeAll(vector, setting, true);
  const unknown = await judgeAll(vector, setting, false);
  return known === unknown ? known : `${known} if the body is known, ${unknown} if it is not`;
}

async function judgeAll(
  { policy, requests }: Case,
  setting: Setting,
  isBodyKnown: boolean,
): Promise<string> {
  const { now, maxSkewSeconds, publicUrl, agents, tasks } = setting;
  const { binding, ...allowed } = policy;
  let clockMs = now;
  const clock = () => clockMs;
  const verifier = createVerifier({
    directory: memoryDirectory({ authority: AUTHORITY, agents, tasks }),
    maxSkewSeconds,
    now: clock,
    policy: allowed,
    binding: { policy: binding, publicUrl, replayStore: memoryReplayStore({ now: clock }) },
  });
  const results: string[] = [];
  for (const request of requests) {
    clockMs = request.now_ms ?? now;
    results.push(
      await runCheck({
        name: "",
        expected: "",
        run: async () => {
          const facts = factsOf(request, isBodyKnown);
          await verifier.verify(authorizationOf(request), { request: facts });
          return "accepted";
        },
      }),
    );
  }
  return results.join(", ");
}

function authorizationOf({ fields }: Request): readonly string[] {
  return fields
    .filter(([name]) => name.toLowerCase() === "authorization")
    .map(([, value]) => value);
}

function factsOf(request: Request, isBodyKnown: boolean): RequestFacts {
  const body = bytesOf(request.body_base64) ?? new Uint8Array();
  return {
    method: request.method,
    target: request.target,
    rawHeaders: request.fields.flat(),
    hasBody: isBodyKnown ? body.length > 0 : undefined,
    body: async () => body,
  };
}

function bytesOf(base64: string | undefined): Uint8Array | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}
