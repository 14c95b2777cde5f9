import type { AgentSigner, SyncAgentSigner } from "../agent-signer.js";
import { type SignWithOptions, signsAtOnce, signWithAsync } from "./sign-with-async.js";

/** Thrown where a text is to be signed that has no signature yet. */
class Unsigned extends Error {
  readonly text: string;

  constructor(text: string) {
    super("this text has no signature");
    this.text = text;
  }
}

/**
 * Makes something that is signed at once with a signer that may give promises. So what is signed has one maker, and that never waits.
 *
 * @param make - pure: it is called once with a key that has no signature, to learn the text, and again with one that has that text's signature. It signs
 * one text, with `signText`
 * @throws {AgentKeyError} as `signWithAsync`
 * @throws {Error} as `make`
 */
export async function signingAsync<Made>(
  signer: AgentSigner,
  make: (key: SyncAgentSigner) => Made,
  options?: SignWithOptions,
): Promise<Made> {
  if (signsAtOnce(signer)) return make(signer);
  const first = withoutSignature(signer, make);
  if ("made" in first) return first.made;
  const signature = await signWithAsync(signer, first.text, options);
  return make(signedKey(signer, first.text, signature));
}

/** What `make` gives without a signature; or the text that it wants to have signed. */
export function withoutSignature<Made>(
  { publicKey }: AgentSigner,
  make: (key: SyncAgentSigner) => Made,
): { readonly made: Made } | { readonly text: string } {
  const none = (text: string): never => {
    throw new Unsigned(text);
  };
  try {
    return { made: make({ publicKey, sign: textsOnly, signText: none }) };
  } catch (error) {
    if (error instanceof Unsigned) return { text: error.text };
    throw error;
  }
}

// The bytes are not kept apart from the text: their signature could be that of another message.
function textsOnly(): never {
  throw new TypeError("what signingAsync makes is signed with signText");
}

/** A key that gives the signature of one text, and of no other. */
export function signedKey(
  { publicKey }: AgentSigner,
  text: string,
  signature: string,
): SyncAgentSigner {
  return {
    publicKey,
    sign: textsOnly,
    signText(asked) {
      if (asked !== text) throw new Unsigned(asked);
      return signature;
    },
  };
}
