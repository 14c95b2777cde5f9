import {
  checkContentDigest,
  checkMessageSignature,
  fieldValue,
} from "@countersign/agent-assertion/message-signature";
import { agentRegistrationKeyid } from "@countersign/agent-identity/server";
import { AgentKey, AgentPublicKey, parseTimestamp } from "@countersign/agent-key";
import {
  contentDigest,
  type SignatureComponent,
  signatureBase,
  signMessage,
} from "@countersign/agent-key/message-signature";
import type { RegistrationProofFile } from "../schema/registration-proof-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

const DAY_MS = 86_400_000;
const PREFIX = "/backend-api";

type Sign = RegistrationProofFile["sign"][number];
type Check = RegistrationProofFile["check"][number];

/**
 * The checks of a file of form `countersign.registration-proof/1`.
 *
 * @throws {CountersignError} if the file's clock is not a timestamp
 */
export function checkRegistrationProof(file: RegistrationProofFile): readonly VectorCheck[] {
  const now = parseTimestamp(file.now);
  return [
    ...file.sign.map((vector, index) => ({
      name: nameOf("sign", index, vector),
      expected: outcome({
        content_digest: vector.content_digest,
        signature_base: vector.signature_base,
        signature_input: vector.signature_input,
        signature: vector.signature,
      }),
      run: () => sign(vector),
    })),
    ...file.check.map((vector, index) => ({
      name: nameOf("check", index, vector),
      expected: vector.expected,
      run: () => judge(vector, file.public_url, vector.now_ms ?? now),
    })),
  ];
}

function sign(vector: Sign): string {
  const { keyid, created, nonce, idempotency_key: idempotencyKey } = vector;
  const digest = contentDigest(Buffer.from(vector.body, "utf8"));
  const components = componentsOf(vector.method, vector.url, digest, idempotencyKey);
  const key = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
  const tag = "agent-registration";
  const { signatureInput, signature } = signMessage({
    key,
    keyid,
    tag,
    created,
    nonce,
    components,
  });
  return outcome({
    content_digest: digest,
    signature_base: signatureBase(components, signatureInput.slice(tag.length + 1)),
    signature_input: signatureInput,
    signature,
  });
}

function judge(vector: Check, publicUrl: string, now: number): string {
  const rawHeaders = vector.fields.flat();
  const publicKey = AgentPublicKey.parse(vector.ssh_public_key);
  const digest = fieldValue(rawHeaders, "content-digest") ?? "";
  const { agent_runtime_id: agentRuntimeId, timestamp = "" } = vector;
  const proof = checkMessageSignature({
    rawHeaders,
    tag: "agent-registration",
    components: componentsOf(
      vector.method,
      targetUriOf(vector.public_url ?? publicUrl, vector.target),
      digest,
      fieldValue(rawHeaders, "idempotency-key"),
    ),
    created:
      agentRuntimeId === undefined
        ? (seconds) => Math.abs(now - seconds * 1000) <= DAY_MS
        : parseTimestamp(timestamp) / 1000,
    keyid: agentRuntimeId ?? agentRegistrationKeyid(publicKey),
    holds: (text, signature) => publicKey.verify(text, signature),
  });
  if (proof === undefined) return "unproven";
  checkContentDigest(digest, Buffer.from(vector.body_base64, "base64"));
  return "proven";
}

// The prefix counts once (protocol P-6).
function targetUriOf(publicUrl: string, target: string): string {
  const isMount = publicUrl.endsWith(PREFIX) && target.startsWith(`${PREFIX}/`);
  return (isMount ? publicUrl.slice(0, -PREFIX.length) : publicUrl) + target;
}

function componentsOf(
  method: string,
  url: string,
  digest: string,
  idempotencyKey: string | undefined,
): readonly SignatureComponent[] {
  return [
    ["@method", method],
    ["@target-uri", url],
    ["content-digest", digest],
    ...(idempotencyKey === undefined ? [] : [["idempotency-key", idempotencyKey] as const]),
  ];
}
