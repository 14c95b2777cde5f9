import type { AgentCredential, AgentKey } from "@countersign/agent-key";
import { type MessageSignature, signMessage } from "@countersign/agent-key/message-signature";
import type { RequestFacts } from "../src/index.js";
import { type BindRequestInput, bindWithNonce } from "../src/sign/bind-request.js";
import { AGENT_ID, AUTHORITY, header, key, NOW, TASK_ID } from "./fixtures.js";

export const PUBLIC_URL = "https://api.example/base";
export const NONCE = "AAECAwQFBgcICQoLDA0ODw";
export const BODY: Uint8Array = Buffer.from('{"hello": "world"}');

export const credential: AgentCredential<AgentKey> = {
  kind: "agent",
  authority: AUTHORITY,
  agentRuntimeId: AGENT_ID,
  taskId: TASK_ID,
  key,
};

/** A request as a server receives it, that tests may change, and whether its body was read. */
export class ReceivedRequest implements RequestFacts {
  method = "POST";
  target = "/v1/x?y";
  fields: [string, string][];
  bytes: Uint8Array | undefined;
  reads = 0;

  constructor(fields: [string, string][], bytes: Uint8Array | undefined) {
    this.fields = fields;
    this.bytes = bytes;
  }

  get rawHeaders(): readonly string[] {
    return this.fields.flat();
  }

  get hasBody(): boolean {
    return this.bytes !== undefined;
  }

  readonly body = async (): Promise<Uint8Array> => {
    this.reads += 1;
    return this.bytes ?? new Uint8Array();
  };

  /** The value of a field, to be changed by `set`. */
  get(name: string): string {
    return this.fields.find(([field]) => field === name)?.[1] ?? "";
  }

  /** Replaces a field, or takes it away. */
  set(name: string, value: string | undefined): this {
    this.fields = this.fields.filter(([field]) => field !== name);
    if (value !== undefined) this.fields.push([name, value]);
    return this;
  }
}

/** The request of the fixtures, bound by the client half. */
export function boundRequest(input: Partial<BindRequestInput> = {}): ReceivedRequest {
  const made: BindRequestInput = {
    credential,
    authorization: header,
    method: "POST",
    targetUri: `${PUBLIC_URL}/v1/x?y`,
    body: BODY,
    ...input,
  };
  const fields = bindWithNonce(made, NONCE).map(([name, value]): [string, string] => [name, value]);
  return new ReceivedRequest([["authorization", made.authorization], ...fields], made.body);
}

/** What `signMessage` makes for the request of the fixtures without a body, with other parts in it. */
export function signedWith(parts: Partial<Parameters<typeof signMessage>[0]>): MessageSignature {
  return signMessage({
    key,
    keyid: AGENT_ID,
    tag: "agent-assertion",
    created: NOW / 1000,
    nonce: NONCE,
    components: [
      ["@method", "POST"],
      ["@target-uri", `${PUBLIC_URL}/v1/x?y`],
      ["authorization", header],
    ],
    ...parts,
  });
}

/** The request of the fixtures without a body, with this signature. */
export function requestWith({ signatureInput, signature }: MessageSignature): ReceivedRequest {
  return new ReceivedRequest(
    [
      ["Authorization", header],
      ["Signature-Input", signatureInput],
      ["Signature", signature],
    ],
    undefined,
  );
}

/** Signs a `Signature-Input` written by hand for the request of the fixtures without a body. */
export function handSigned(parameters: string, base: readonly string[]): ReceivedRequest {
  const text = [...base, `"@signature-params": ${parameters}`].join("\n");
  return requestWith({
    signatureInput: `a=${parameters}`,
    signature: `a=:${key.signText(text)}:`,
  });
}
