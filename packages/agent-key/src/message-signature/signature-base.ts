import { AgentKeyError } from "../agent-key-error.js";

// A derived component, or a field name in lower case (RFC 9421 §2.1, §2.2; RFC 9110 §5.6.2).
const COMPONENT_NAME = /^@?[a-z0-9!#$%&'*+.^_`|~-]{1,256}$/;
// A line break in a value would let it speak for another component (RFC 9421 §7.5.6).
const COMPONENT_VALUE = /^[\t -~]*$/;
// What a structured field's String may hold (RFC 8941 §3.3.3).
const STRING = /^[ -~]*$/;

/** One covered component: its name, and its value in the form that is signed. */
export type SignatureComponent = readonly [name: string, value: string];

/** The parameters of a signature; those absent are not written. */
export interface SignatureParameters {
  /** When it was signed, epoch seconds. */
  readonly created: number;
  readonly keyid: string;
  readonly nonce?: string | undefined;
  readonly tag?: string | undefined;
}

/**
 * The covered components and the parameters as one structured field: the value of a `Signature-Input` member, and of the last line of
 * the text that is signed.
 *
 * @throws {AgentKeyError} `invalid_request` when a name, `created` or a text cannot be written
 * @see RFC 9421 §2.3, §4.1
 */
export function signatureParameters(
  names: readonly string[],
  parameters: SignatureParameters,
): string {
  const { created, keyid, nonce, tag } = parameters;
  if (new Set(names).size !== names.length) throw invalid("a component is named twice");
  if (!names.every((name) => COMPONENT_NAME.test(name))) throw invalid("no name of a component");
  if (!Number.isSafeInteger(created) || created < 0 || created >= 1e15) {
    throw invalid("created must be whole epoch seconds");
  }
  const texts = Object.entries({ keyid, nonce, tag }).map(([name, text]) =>
    text === undefined ? "" : `;${name}=${quoted(text)}`,
  );
  return `(${names.map((name) => `"${name}"`).join(" ")});created=${created}${texts.join("")}`;
}

/**
 * The text that a message signature signs.
 *
 * @param components - in the order of `parameters`
 * @param parameters - as {@link signatureParameters} writes them, or as they were received
 * @throws {AgentKeyError} `invalid_request` when a value has other than visible ASCII, spaces and tabs
 * @see RFC 9421 §2.5
 */
export function signatureBase(
  components: readonly SignatureComponent[],
  parameters: string,
): string {
  const lines = components.map(([name, value]) => {
    if (!COMPONENT_VALUE.test(value)) throw invalid(`a value of ${name} that cannot be signed`);
    return `"${name}": ${value}`;
  });
  return [...lines, `"@signature-params": ${parameters}`].join("\n");
}

function quoted(text: string): string {
  if (!STRING.test(text)) throw invalid("a parameter with other than printable ASCII");
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function invalid(message: string): AgentKeyError {
  return new AgentKeyError("invalid_request", message, {
    hint: "components and parameters of a message signature are printable ASCII",
  });
}
