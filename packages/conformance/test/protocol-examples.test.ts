import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { meaningOfCode } from "@countersign/agent-key/codes";
import { createProblem } from "@countersign/agent-key/problem";
import { expect, test } from "vitest";
import { VECTORS_DIRECTORY } from "../src/vectors-directory.js";

const DOCUMENT = join(import.meta.dirname, "../../../docs/protocol.md");
const MARKED = /(<!-- example ([a-z-]+) -->\n).*?(<!-- \/example -->)/gs;
type Vector = Record<string, string>;

async function vector(file: string, list: string, index = 0): Promise<Vector> {
  const content = JSON.parse(await readFile(new URL(`${file}.json`, VECTORS_DIRECTORY), "utf8"));
  return content[list][index];
}

const json = (value: unknown) => JSON.stringify(value);

const EXAMPLES: Readonly<Record<string, () => Promise<string>>> = {
  "registration-proof": async () => {
    const proof = await vector("registration-proof", "sign");
    return `The signature base:

\`\`\`text
${proof.signature_base}
\`\`\`

The fields of the registration:

\`\`\`http
Content-Digest: ${proof.content_digest}
Signature-Input: ${proof.signature_input}
Signature: ${proof.signature}
\`\`\``;
  },
  "agent-registration": async () => {
    const proof = await vector("registration-proof", "sign");
    const answer = await vector("agent-registration", "valid");
    return `\`\`\`http
POST /v1/agent/register HTTP/1.1
Host: authority.example
Authorization: Bearer <the human's token>
Content-Type: application/json

${proof.body}
\`\`\`

\`\`\`http
HTTP/1.1 200 OK
Content-Type: application/json

${json(answer.body)}
\`\`\``;
  },
  "task-registration": async () => {
    const request = await vector("task-registration", "requests");
    const answer = await vector("task-registration", "responses", 2);
    const { idempotency_key: key, text } = await vector("derivations", "idempotency_keys");
    return `The signed text is \`${request.signed_text}\`.

\`\`\`http
POST /v1/agent/${request.agent_runtime_id}/task/register HTTP/1.1
Host: authority.example
Content-Type: application/json

${json({ signature: request.signature, timestamp: request.timestamp })}
\`\`\`

The task id in this answer is \`${answer.task_id}\`:

\`\`\`http
HTTP/1.1 200 OK
Content-Type: application/json

${json(answer.body)}
\`\`\`

For the scope \`thread-1\` of the agent \`agent-1\`, the HMAC of T-8 is over \`${text}\`. With the key of that vector the field is:

\`\`\`http
Idempotency-Key: ${key}
\`\`\``;
  },
  "key-rotation": async () => {
    const rotation = await vector("key-rotation", "build");
    const answer = await vector("key-rotation", "valid");
    return `Both keys sign:

\`\`\`text
${rotation.signed_text}
\`\`\`

\`\`\`http
POST /backend-api/v1/agent/${rotation.agent_runtime_id}/key HTTP/1.1
Host: authority.example
Authorization: Bearer <the human's token>
Content-Type: application/json

${json(rotation.body)}
\`\`\`

\`\`\`http
HTTP/1.1 200 OK
Content-Type: application/json

${json(answer.body)}
\`\`\``;
  },
  directory: async () => {
    const answer = await vector("directory", "valid", 2);
    return `\`\`\`http
GET /v1/agent/agent-1/task/task-1 HTTP/1.1
Host: authority.example
Authorization: Bearer <a token of role resource_server>
\`\`\`

\`\`\`http
HTTP/1.1 200 OK
Content-Type: application/json
Cache-Control: private, max-age=15

${json(answer.body)}
\`\`\``;
  },
  assertion: async () => {
    const { authorization = "" } = await vector("assertions", "build");
    const token = authorization.split(" ")[1] ?? "";
    const envelope = Buffer.from(token, "base64url").toString("utf8");
    const { agent_runtime_id: agent, task_id: task, timestamp } = JSON.parse(envelope);
    const refusal = createProblem("task_revoked", meaningOfCode("task_revoked"));
    return `The signed text is \`${agent}:${task}:${timestamp}\`, the envelope and the field:

\`\`\`http
${envelope}

Authorization: ${authorization}
\`\`\`

A refusal of it:

\`\`\`http
HTTP/1.1 401 Unauthorized
WWW-Authenticate: ${refusal.headers["www-authenticate"]}
Content-Type: ${refusal.headers["content-type"]}
Cache-Control: ${refusal.headers["cache-control"]}

${refusal.body}
\`\`\``;
  },
  binding: async () => {
    const bound = await vector("requests", "bind");
    const body = Buffer.from(bound.body_base64 ?? "", "base64").toString("utf8");
    return `The public URL of this server is \`https://api.example/base\`. The signature base:

\`\`\`text
${bound.signature_base}
\`\`\`

\`\`\`http
POST /base/v1/x?y HTTP/1.1
Host: api.example
Authorization: ${bound.authorization}
Content-Digest: ${bound.content_digest}
Signature-Input: ${bound.signature_input}
Signature: ${bound.signature}

${body}
\`\`\``;
  },
};

// `vitest run test/protocol-examples.test.ts --update` writes them.
test("the examples of docs/protocol.md are made from the vectors", async () => {
  const document = await readFile(DOCUMENT, "utf8");
  const names = [...document.matchAll(MARKED)].map(([, , name = ""]) => name);
  expect(names.sort()).toEqual(Object.keys(EXAMPLES).sort());
  const texts = new Map<string, string>();
  for (const [name, make] of Object.entries(EXAMPLES)) texts.set(name, await make());
  const written = document.replace(
    MARKED,
    (_, start: string, name: string, end: string) => `${start}\n${texts.get(name)}\n\n${end}`,
  );
  await expect(written).toMatchFileSnapshot(DOCUMENT);
});
