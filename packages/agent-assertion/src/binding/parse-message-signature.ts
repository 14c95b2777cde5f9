import { encodeBase64 } from "@countersign/agent-key";
import type { SignatureTag } from "@countersign/agent-key/message-signature";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { type FieldMember, fieldValue, parseMembers } from "./structured-fields.js";

// 16 random bytes are 22 characters of base64url; the upper bound is what a store must be able to keep.
const NONCE = /^[!-~]{22,256}$/;
const PARAMETERS: ReadonlySet<string> = new Set(["created", "nonce", "keyid", "tag", "alg"]);

/** A well-formed message signature of one tag. Nothing in it is trusted: anybody can write one. */
export interface ParsedMessageSignature {
  /** The names of the covered components, in the order that they were signed in. */
  readonly components: readonly string[];
  /** Components and parameters as they were signed. */
  readonly parameters: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly nonce: string;
  readonly keyid: string;
  readonly signature: Uint8Array;
}

/**
 * Finds the one signature with this tag and parses it strictly. Signatures with other tags are ignored.
 *
 * It refuses what is not a valid structured field, and:
 * - two labels with this tag, a label or parameter that comes twice, a label without its signature
 * - a serialisation that is not the canonical one
 * - a component with parameters, or one that comes twice
 * - an `alg` other than `ed25519`
 * - a nonce of less than 22 characters (16 bytes) or more than 256
 * - a parameter other than `created`, `nonce`, `keyid`, `tag` and `alg`. One that this protocol cannot honour, such as `expires`, must not be
 *   ignored
 *
 * @returns `undefined` when no signature has the tag
 * @throws {AgentAssertionError} `bad_signature` when there is one and it is not exactly of this form
 * @see RFC 9421 §2.3, §4; RFC 8941
 */
export function parseMessageSignature(
  rawHeaders: readonly string[],
  tag: SignatureTag,
): ParsedMessageSignature | undefined {
  const inputs = membersOf(rawHeaders, "signature-input");
  const tagged = [...inputs].filter(([, { parameters }]) => parameters.get("tag") === tag);
  const [found, ...more] = tagged;
  if (found === undefined) return undefined;
  if (more.length > 0) throw refused(`two signatures have the tag ${tag}`);
  const [label, input] = found;
  const signature = membersOf(rawHeaders, "signature").get(label);
  if (signature === undefined) throw refused("a label has no signature");
  return { ...parseInput(input), signature: parseSignature(signature) };
}

function membersOf(rawHeaders: readonly string[], name: string) {
  const text = fieldValue(rawHeaders, name);
  if (text === undefined) return new Map<string, FieldMember>();
  try {
    return parseMembers(text);
  } catch (cause) {
    throw refused(`${name} is no dictionary without repetitions`, cause);
  }
}

function parseInput(input: FieldMember): Omit<ParsedMessageSignature, "signature"> {
  const { list, parameters, text } = input;
  if (list === undefined) throw refused("the signature's input is no list");
  const components = list.map(({ value, parameters: own }) => {
    if (typeof value !== "string" || own.size > 0) {
      throw refused("a component that this protocol does not use");
    }
    return value;
  });
  if (new Set(components).size !== components.length) throw refused("a component comes twice");
  for (const name of parameters.keys()) {
    if (!PARAMETERS.has(name)) throw refused("a parameter that this protocol does not use");
  }
  if (text !== canonicalInput(components, parameters)) {
    throw refused("the signature's input is not in its canonical form");
  }
  const created = parameters.get("created");
  const nonce = parameters.get("nonce");
  const keyid = parameters.get("keyid");
  const alg = parameters.get("alg");
  if (!Number.isSafeInteger(created)) throw refused("created is not an integer");
  if (typeof nonce !== "string" || !NONCE.test(nonce)) {
    throw refused("the nonce is not valid: expected 22 to 256 visible ASCII characters");
  }
  if (typeof keyid !== "string") throw refused("keyid is not a string");
  if (alg !== undefined && alg !== "ed25519") throw refused("alg is not ed25519");
  return { components, parameters: text, created: Number(created), nonce, keyid };
}

// Written so, what is repeated is missing, and a number has one form.
function canonicalInput(
  components: readonly string[],
  parameters: ReadonlyMap<string, unknown>,
): string {
  const pairs = [...parameters].map(([name, value]) => `;${name}=${canonicalItem(value)}`);
  return `(${components.map(canonicalItem).join(" ")})${pairs.join("")}`;
}

function canonicalItem(value: unknown): string {
  return typeof value === "string" ? `"${value.replace(/["\\]/g, "\\$&")}"` : `${value}`;
}

function parseSignature({ value, parameters, text }: FieldMember): Uint8Array {
  if (!(value instanceof Uint8Array) || parameters.size > 0) {
    throw refused("the signature is no byte sequence");
  }
  if (text !== `:${encodeBase64(value)}:`) {
    throw refused("the signature is not in its canonical form");
  }
  return value;
}

function refused(message: string, cause?: unknown): AgentAssertionError {
  return new AgentAssertionError("bad_signature", `the message signature: ${message}`, { cause });
}
