import { randomBytes } from "node:crypto";
import { type AgentSigner, encodeBase64Url, type SyncAgentSigner } from "@countersign/agent-key";
import {
  contentDigest,
  type SignatureComponent,
  signMessage,
} from "@countersign/agent-key/message-signature";
import { type SignWithOptions, signingAsync } from "@countersign/agent-key/signers";

const NONCE_BYTES = 16;

/** Who proves a registration: the key that is registered, or that registers. */
export interface RegistrationSigner {
  readonly key: AgentSigner;
  /** `agent_runtime_id`; for an agent that has none yet, what `agentRegistrationKeyid` gives for its key. */
  readonly keyid: string;
  /** Epoch seconds; for a task registration the timestamp in its body. */
  readonly created: number;
}

/** One registration as it is sent. */
export interface SentRegistration {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/**
 * The fields that prove that the sender of a registration holds the key: a message signature over method, URL and body, and over
 * `Idempotency-Key` if that header is sent. Each attempt needs a new proof. No fields without a signer or a body.
 *
 * @see protocol.md §5.3; RFC 9421
 */
export async function registrationProof(
  signer: RegistrationSigner | undefined,
  { method, url, headers, body }: SentRegistration,
  options: SignWithOptions,
): Promise<Record<string, string>> {
  if (signer === undefined || body === undefined) return {};
  const digest = contentDigest(Buffer.from(body, "utf8"));
  const components: SignatureComponent[] = [
    ["@method", method],
    ["@target-uri", url],
    ["content-digest", digest],
  ];
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() === "idempotency-key") components.push(["idempotency-key", value]);
  }
  const nonce = encodeBase64Url(randomBytes(NONCE_BYTES));
  const input = { ...signer, tag: "agent-registration", nonce, components } as const;
  const make = (key: SyncAgentSigner) => signMessage({ ...input, key });
  const { signatureInput, signature } = await signingAsync(signer.key, make, options);
  return { "content-digest": digest, "signature-input": signatureInput, signature };
}
