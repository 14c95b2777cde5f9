import {
  type SignatureComponent,
  type SignatureTag,
  signatureBase,
} from "@countersign/agent-key/message-signature";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { type ParsedMessageSignature, parseMessageSignature } from "./parse-message-signature.js";

/** What a message must have signed. */
export interface CheckMessageSignatureInput {
  /** The field lines as received: name, value, name, value, … */
  readonly rawHeaders: readonly string[];
  readonly tag: SignatureTag;
  /** The components that must be covered, in any order, with their values in this message. No others may be, except `optionalComponents`. */
  readonly components: readonly SignatureComponent[];
  /** Components that may be covered as well, with their values in this message. Default none. */
  readonly optionalComponents?: readonly SignatureComponent[] | undefined;
  /** When it must have been signed, epoch seconds: the exact number, or a function that returns whether a number is right. */
  readonly created: number | ((created: number) => boolean);
  /** The key id that the signature must name. */
  readonly keyid: string;
  /** Returns whether the signature of 64 bytes is valid over the text under a key of the sender. */
  readonly holds: (text: string, signature: Uint8Array) => boolean;
}

/**
 * Checks the one message signature with a tag: form, covered components, `created`, `keyid`, and last the signature over the text rebuilt
 * from the message. Synchronous and pure.
 *
 * Not checked: that a covered `content-digest` is that of the body (`checkContentDigest`), and that the nonce is spent for the first time.
 *
 * @returns the signature; `undefined` when none has the tag
 * @throws {AgentAssertionError} `bad_signature` when there is one and it does not hold
 * @see RFC 9421 §3.2
 */
export function checkMessageSignature(
  input: CheckMessageSignatureInput,
): ParsedMessageSignature | undefined {
  const parsed = parseMessageSignature(input.rawHeaders, input.tag);
  if (parsed === undefined) return undefined;
  const required = new Map(input.components);
  const values = new Map([...required, ...(input.optionalComponents ?? [])]);
  const covered = parsed.components.flatMap((name): SignatureComponent[] => {
    const value = values.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  // None of the names comes twice, so that equal numbers mean equal sets.
  const requiredCovered = covered.filter(([name]) => required.has(name));
  if (covered.length !== parsed.components.length || requiredCovered.length !== required.size) {
    throw refused("it covers other components than it must");
  }
  const { created, keyid } = input;
  const inTime = typeof created === "number" ? parsed.created === created : created(parsed.created);
  if (!inTime) throw refused("it was created at another time");
  if (parsed.keyid !== keyid) throw refused("it names another key");
  if (!input.holds(baseOf(covered, parsed.parameters), parsed.signature)) {
    throw refused("it does not hold");
  }
  return parsed;
}

function baseOf(covered: readonly SignatureComponent[], parameters: string): string {
  try {
    return signatureBase(covered, parameters);
  } catch (cause) {
    throw refused("a component has a value that cannot be signed", cause);
  }
}

function refused(message: string, cause?: unknown): AgentAssertionError {
  return new AgentAssertionError("bad_signature", `the message signature: ${message}`, { cause });
}
