import { AgentAssertionError } from "../agent-assertion-error.js";

/** A body made of bytes that are known before it is sent. */
export interface KnownBody {
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  /** The media type that a body of its kind has by itself, for instance a form's with its boundary. */
  readonly type: string | undefined;
}

// Values that a transport can read more than once, by their class names. A caller whose object has a false name misleads only itself.
const REPLAYABLE: ReadonlySet<string> = new Set([
  "ArrayBuffer",
  "Blob",
  "File",
  "FormData",
  "URLSearchParams",
]);

/** Whether a transport can send the same body once more: none, a text, bytes, a Blob or a form. */
export function isReplayableValue(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === "string") return true;
  if (ArrayBuffer.isView(body)) return true;
  // Some forms are streams.
  return REPLAYABLE.has(tagOf(body)) && !("pipe" in Object(body));
}

/**
 * Reads a body whole, so that it can be bound. A form is written once: its boundary stays.
 *
 * @throws {AgentAssertionError} `invalid_request` for a stream, and for whatever else cannot be read without using it up
 */
export async function knownBody(body: unknown): Promise<KnownBody> {
  if (body === undefined || body === null) return { bytes: undefined, type: undefined };
  if (!isReplayableValue(body)) {
    throw new AgentAssertionError("invalid_request", "a stream cannot be bound to its request", {
      hint: "give the body as a text, bytes, a Blob or a form, or turn binding off",
    });
  }
  const response = new Response(
    isForm(body) ? ownForm(body) : (body as ConstructorParameters<typeof Response>[0]),
  );
  const type = response.headers.get("content-type") ?? undefined;
  return { bytes: new Uint8Array(await response.arrayBuffer()), type };
}

function isForm(body: unknown): body is FormData {
  return tagOf(body) === "FormData";
}

// The form of another copy of `fetch` is no form to this one, which would send its name instead.
function ownForm(form: FormData): FormData {
  const own = new FormData();
  for (const [name, value] of form) {
    if (typeof value === "string") own.append(name, value);
    else own.append(name, value, value.name);
  }
  return own;
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}
