import { generateKeyPair, generateProof } from "dpop";
import type { Work } from "../fixtures/contenders.ts";
import { REQUEST } from "../fixtures/signing.ts";

/** A DPoP proof (RFC 9449) by an Ed25519 key: it names method and URL, and has to be made for each request. */
export async function dpopSign(): Promise<Work> {
  const keyPair = await generateKeyPair("Ed25519");
  return () => generateProof(keyPair, REQUEST.url, REQUEST.method);
}
