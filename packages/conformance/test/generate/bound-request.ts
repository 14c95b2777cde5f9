import { digestOf, parametersOf, type SignedMessage, signComponents } from "./message-signature.js";
import { authorizationOf, KEY_A, NOW, seconds, type VectorKey } from "./vector-keys.js";

export const PUBLIC_URL = "https://api.example/base";
export const NONCE = "AAECAwQFBgcICQoLDA0ODw";
export const BODY = '{"hello": "world"}';

/** A request as a verifier receives it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body_base64?: string;
  readonly now_ms?: number;
}

/** How the request of a vector differs from the good one. */
export interface Changes {
  readonly key?: VectorKey;
  /** The key of the message signature. Default: `key`. */
  readonly signer?: VectorKey;
  readonly agent?: string;
  readonly task?: string;
  readonly method?: string;
  readonly target?: string;
  readonly root?: string;
  /** `null`: none. */
  readonly body?: string | null;
  readonly nonce?: string;
  readonly digest?: string | null;
  /** What is signed, where that is not what is sent. */
  readonly signed?: Readonly<Record<string, string>>;
  readonly names?: readonly string[];
  readonly parameters?: (parameters: string) => string;
  readonly label?: string;
  readonly authorization?: string;
  readonly timestamp?: string;
}

/** A bound request, and how it was signed. */
export interface MadeRequest {
  readonly request: ReceivedRequest;
  readonly signed: SignedMessage;
  readonly authorization: string;
  readonly digest: string | null;
}

/** Makes a bound request: `POST /v1/x?y` with a body, by agent-1 in task-1, unless something else is said. */
export function makeRequest(changes: Changes = {}): MadeRequest {
  const { key = KEY_A, signer = key, agent = "agent-1", task = "task-1" } = changes;
  const { method = "POST", target = "/v1/x?y", root = PUBLIC_URL, body = BODY } = changes;
  const { nonce = NONCE, label = "agent-assertion" } = changes;
  const { timestamp = NOW } = changes;
  const authorization = changes.authorization ?? authorizationOf(key, agent, task, timestamp);
  const digest = changes.digest === undefined ? usualDigest(body) : changes.digest;
  const values = {
    "@method": method,
    "@target-uri": root + target,
    authorization,
    ...(digest === null ? {} : { "content-digest": digest }),
    ...changes.signed,
  };
  const parameters = parametersOf(seconds(timestamp), agent, nonce, "agent-assertion");
  const names = changes.names ?? [
    "@method",
    "@target-uri",
    "authorization",
    ...(digest === null ? [] : ["content-digest"]),
  ];
  const { parameters: change = (text: string) => text } = changes;
  const signed = signComponents({
    key: signer,
    names,
    values,
    parameters: change(parameters),
    label,
  });
  const request = {
    method,
    target,
    fields: [
      ["Authorization", authorization] as const,
      ...(digest === null ? [] : [["Content-Digest", digest] as const]),
      ["Signature-Input", signed.signatureInput] as const,
      ["Signature", signed.signature] as const,
    ],
    ...(body === null ? {} : { body_base64: Buffer.from(body, "utf8").toString("base64") }),
  };
  return { request, signed, authorization, digest };
}

/** The request without the fields of these names. */
export function without(request: ReceivedRequest, ...names: readonly string[]): ReceivedRequest {
  return { ...request, fields: request.fields.filter(([name]) => !names.includes(name)) };
}

/** The request with one field in place of all others of its name. */
export function withField(
  request: ReceivedRequest,
  name: string,
  value: string | ((value: string) => string),
): ReceivedRequest {
  const before = request.fields.find(([field]) => field === name)?.[1] ?? "";
  const after = typeof value === "string" ? value : value(before);
  const fields = without(request, name).fields;
  return { ...request, fields: [...fields, [name, after]] };
}

function usualDigest(body: string | null): string | null {
  return body === null || body === "" ? null : digestOf(body);
}
