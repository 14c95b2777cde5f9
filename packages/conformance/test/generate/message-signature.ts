import { createHash } from "node:crypto";
import type { VectorKey } from "./vector-keys.js";

/** The components of a message, by name. */
export type Components = Readonly<Record<string, string>>;

/** What a message signature says; everything is written as it stands, so that it can be wrong. */
export interface SignatureParts {
  readonly key: VectorKey;
  /** In the order that they are covered in. */
  readonly names: readonly string[];
  readonly values: Components;
  /** As written behind the list of components, for instance `;created=1;keyid="k"`. */
  readonly parameters: string;
  readonly label: string;
}

/** The fields of a message signature, and the text that was signed. */
export interface SignedMessage {
  readonly base: string;
  readonly signatureInput: string;
  readonly signature: string;
}

/** Signs components of a message (RFC 9421 §2.5, §3.1), right or wrong. */
export function signComponents(parts: SignatureParts): SignedMessage {
  const { key, names, values, parameters, label } = parts;
  const member = `(${names.map((name) => `"${name}"`).join(" ")})${parameters}`;
  const lines = names.map((name) => `"${name}": ${values[name] ?? ""}`);
  const base = [...lines, `"@signature-params": ${member}`].join("\n");
  return {
    base,
    signatureInput: `${label}=${member}`,
    signature: `${label}=:${key.sign(base).toString("base64")}:`,
  };
}

/** The parameters in the order that senders write them in. */
export function parametersOf(
  created: number,
  keyid: string,
  nonce: string,
  tag: "agent-assertion" | "agent-registration",
): string {
  return `;created=${created};keyid="${keyid}";nonce="${nonce}";tag="${tag}"`;
}

/** One member of a `Content-Digest` field. */
export function digestOf(body: string, algorithm: "sha-256" | "sha-512" = "sha-256"): string {
  const hash = createHash(algorithm.replace("-", "")).update(body, "utf8").digest("base64");
  return `${algorithm}=:${hash}:`;
}
