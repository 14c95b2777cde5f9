import type { AgentCredential, Credential } from "@countersign/agent-key";
import {
  type SignWithOptions,
  signedKey,
  signWithAsync,
  withoutSignature,
} from "@countersign/agent-key/signers";
import type { AssertionSigner } from "../assertion-signer.js";
import { authorizationField } from "../authorization-field.js";
import { signAssertion } from "../sign-assertion.js";
import { isReady } from "./is-ready.js";
import { SharedSignatures } from "./shared-signatures.js";

// "2026-04-15T17:08:08Z", with which the signed text ends.
const TIMESTAMP_LENGTH = 20;
const shared = /* @__PURE__ */ new WeakMap<AssertionSigner, SharedSignatures>();

/**
 * The same field value as `AssertionSigner.header` gives, with any signer. Calls for one task within one second share one signature. An `AgentKey` signs
 * at once.
 *
 * @param options - the deadline is that of the first of the calls that share a signature
 * @throws {AgentAssertionError} `invalid_request` when the credential holds an id that may not be signed
 * @throws {AgentKeyError} as `signWithAsync`: `signer_failed`, `invalid_key`, `config_invalid`
 * @throws the reason of `signal` if the caller ended the call
 */
export async function headerAsync(
  signer: AssertionSigner,
  credential: AgentCredential,
  options: SignWithOptions = {},
): Promise<string> {
  if (isReady(credential)) return signer.header(credential);
  const { signal, deadlineMs } = options;
  signal?.throwIfAborted();
  const { authority, agentRuntimeId, taskId, key } = credential;
  const kept = withoutSignature(key, (own) => signer.header({ ...credential, key: own }));
  if ("made" in kept) return kept.made;
  const { text } = kept;
  const name = JSON.stringify([authority, key.publicKey.line, text]);
  return await signaturesOf(signer).of(name, signal, async (alone) => {
    const signature = await signWithAsync(key, text, { signal: alone, deadlineMs });
    const own = signedKey(key, text, signature);
    // The signer keeps it, if its second is not over.
    withoutSignature(key, () => signer.header({ ...credential, key: own }));
    return signAssertion({
      agentRuntimeId,
      taskId,
      key: own,
      timestamp: text.slice(-TIMESTAMP_LENGTH),
    });
  });
}

/**
 * The same field as `authorizationField` gives, with any signer of the agent.
 *
 * @throws {AgentAssertionError} as `authorizationField`
 * @throws {AgentKeyError} as {@link headerAsync}
 * @throws {Error} as `authorizationField`
 */
export async function authorizationFieldAsync(
  credential: Credential,
  origin: string,
  signer: AssertionSigner,
  options?: SignWithOptions,
): Promise<string | undefined> {
  if (isReady(credential)) return authorizationField(credential, origin, signer);
  return await headerAsync(signer, credential, options);
}

function signaturesOf(signer: AssertionSigner): SharedSignatures {
  const known = shared.get(signer) ?? new SharedSignatures();
  shared.set(signer, known);
  return known;
}
