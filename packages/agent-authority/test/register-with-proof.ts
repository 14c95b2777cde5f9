import { agentRegistrationKeyid } from "@countersign/agent-identity/server";
import type { AgentKey } from "@countersign/agent-key";
import { contentDigest, signMessage } from "@countersign/agent-key/message-signature";
import { type Answer, agentBody, type TestedAuthority } from "./start-authority.js";

const REGISTER = "/v1/agent/register";

/**
 * Registers an agent with a registration proof.
 *
 * @param change - what becomes of the body after it was signed. Default: nothing
 */
export function registerWithProof(
  tested: TestedAuthority,
  token: string,
  key: AgentKey,
  more: object = {},
  change: (body: object) => object = (body) => body,
): Promise<Answer> {
  const body = { ...agentBody(key), ...more };
  const digest = contentDigest(Buffer.from(JSON.stringify(body)));
  const { signatureInput, signature } = signMessage({
    key,
    keyid: agentRegistrationKeyid(key.publicKey),
    created: Math.floor(tested.clock.nowMs / 1_000),
    tag: "agent-registration",
    components: [
      ["@method", "POST"],
      ["@target-uri", tested.url + REGISTER],
      ["content-digest", digest],
    ],
  });
  return tested.call("POST", REGISTER, {
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "content-digest": digest,
      "signature-input": signatureInput,
      signature,
    },
    body: JSON.stringify(change(body)),
  });
}
