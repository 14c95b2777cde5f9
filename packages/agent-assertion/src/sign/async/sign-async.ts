import { randomBytes } from "node:crypto";
import { type AgentCredential, type AgentSigner, encodeBase64Url } from "@countersign/agent-key";
import { type SignWithOptions, signingAsync } from "@countersign/agent-key/signers";
import { type BindRequestInput, bindWithNonce } from "../bind-request.js";
import { type SignAssertionInput, signAssertion } from "../sign-assertion.js";

const NONCE_BYTES = 16;

/** What one assertion states, and any signer. */
export type SignAssertionAsyncInput = Omit<SignAssertionInput, "key"> & {
  readonly key: AgentSigner;
};

/** One request of an agent with any signer, as it is sent. */
export type BindRequestAsyncInput = Omit<BindRequestInput, "credential"> & {
  readonly credential: AgentCredential;
};

/**
 * Signs as `signAssertion` does, with any signer.
 *
 * @throws {AgentAssertionError} `invalid_request` as `signAssertion`
 * @throws {AgentKeyError} as `signWithAsync`
 */
export async function signAssertionAsync(
  input: SignAssertionAsyncInput,
  options?: SignWithOptions,
): Promise<string> {
  return await signingAsync(input.key, (key) => signAssertion({ ...input, key }), options);
}

/**
 * Binds as `bindRequest` does, with any signer.
 *
 * @throws {AgentAssertionError} `invalid_request` as `bindRequest`
 * @throws {AgentKeyError} as `signWithAsync`
 */
export async function bindRequestAsync(
  input: BindRequestAsyncInput,
  options?: SignWithOptions,
): Promise<readonly (readonly [string, string])[]> {
  const nonce = encodeBase64Url(randomBytes(NONCE_BYTES));
  const { credential } = input;
  return await signingAsync(
    credential.key,
    (key) => bindWithNonce({ ...input, credential: { ...credential, key } }, nonce),
    options,
  );
}
