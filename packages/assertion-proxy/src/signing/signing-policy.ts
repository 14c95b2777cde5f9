import type { IncomingMessage } from "node:http";
import type { AssertionSigner } from "@countersign/agent-assertion/sign";
import { bindRequestAsync } from "@countersign/agent-assertion/sign-async";
import type { AgentCredential, Credential, CredentialOptions } from "@countersign/agent-key";
import type { Admission, AdmitContext, ProxyPolicy } from "../exchange/admission.js";
import { createForwardedFields, type ForwardedFields } from "../head/forwarded-fields.js";
import { fieldValues, type RawFields } from "../head/raw-fields.js";
import { REQUEST_ID_FIELD } from "../head/request-origin.js";
import { SigningAttempts } from "./signing-attempts.js";
import { authorizationFor, refusalOfSource } from "./signing-authorization.js";
import { type SigningThreads, threadOf } from "./signing-threads.js";

/** Options of the policy of a signing proxy. */
export interface SigningPolicyOptions {
  readonly guard: (request: IncomingMessage) => void;
  /** Comparable names of the fields that may hold the client token. They end here. */
  readonly keyFields: readonly string[];
  /** Returns whether a text contains the client token. Absent: the proxy has no client token. */
  readonly isSecret: ((text: string) => boolean) | undefined;
  /** As `parseThreadHeaders` returns them. */
  readonly threadHeaders: readonly string[];
  readonly threads: SigningThreads;
  readonly signer: AssertionSigner;
  /** The upstream's origin, and its base URL without a slash at its end. */
  readonly origin: string;
  readonly baseUrl: string;
  /** How the source of a credential is waited for. */
  readonly patience: CredentialOptions;
  readonly forwardCookies: boolean;
  readonly forwardHeaders: readonly string[];
  /** Bytes of a body that are kept, so that it can be sent again after a 401. */
  readonly replayBodyBytes: number;
  /** Bind every request; bodies up to this many bytes are held until they are whole. Absent: nothing is bound. */
  readonly bindingBodyBytes: number | undefined;
}

// Codex's own field, which its upstream reads too. Any other name of a thread is between the client and this proxy.
const FORWARDED_THREAD_HEADERS: ReadonlySet<string> = new Set(["session-id"]);
const BINDING_FIELDS = ["content-digest", "signature", "signature-input"];

/**
 * Makes the policy of the signing proxy. A local program's request goes upstream with the credential of its thread in place of the client
 * token. On a 401 the proxy does what a client does.
 *
 * Unlike at the gateway, a client's choice of tenant passes: the client is a program of the agent's own user, and only that user's credential
 * is used for it.
 *
 * @throws {AssertionProxyError} `config_invalid` for a name in `forwardHeaders` that may not pass
 * @see protocol.md §10
 */
export function createSigningPolicy(options: SigningPolicyOptions): ProxyPolicy {
  const { guard, isSecret, threadHeaders, threads, signer, origin, patience } = options;
  const ownNames = [
    REQUEST_ID_FIELD,
    ...options.keyFields,
    ...threadHeaders.filter((name) => !FORWARDED_THREAD_HEADERS.has(name)),
  ];
  const forwardedBeside = (own: readonly string[]): ForwardedFields =>
    createForwardedFields({
      ownNames: own,
      readNames: [...threadHeaders, "chatgpt-account-id"],
      passes: "tenant",
      forwardCookies: options.forwardCookies,
      forwardHeaders: options.forwardHeaders,
    });
  const forwarded = forwardedBeside(ownNames);
  const forwardedBound =
    options.bindingBodyBytes === undefined
      ? forwarded
      : forwardedBeside([...ownNames, ...BINDING_FIELDS]);

  // A human's token binds nothing.
  const isBound = (credential: Credential): credential is AgentCredential =>
    options.bindingBodyBytes !== undefined && credential.kind === "agent";
  const fieldsFor = (credential: Credential): ForwardedFields =>
    isBound(credential) ? forwardedBound : forwarded;

  async function fieldsOf(
    request: IncomingMessage,
    credential: Credential,
    body: Buffer | undefined,
    signing: AbortSignal,
  ): Promise<RawFields> {
    const { rawHeaders, method = "", url = "" } = request;
    const authorization = await authorizationFor(credential, origin, signer, signing);
    const own = ["authorization", authorization];
    const passed = fieldsFor(credential).ofHeader(rawHeaders);
    if (!isBound(credential)) return [...passed, ...own];
    const digests = fieldValues(rawHeaders, "content-digest");
    const input = {
      credential,
      authorization,
      method,
      targetUri: options.baseUrl + url,
      body,
      contentDigest: digests.length === 0 ? undefined : digests.join(", "),
    };
    const bound = await bindRequestAsync(input, { signal: signing });
    return [...passed, ...own, ...bound.flat()];
  }

  async function admit(
    request: IncomingMessage,
    { signal, body: reader, whenOver, requestId }: AdmitContext,
  ): Promise<Admission> {
    const wait = { ...patience, requestId };
    const threadId = threadOf(request.rawHeaders, threadHeaders);
    try {
      const { bindingBodyBytes } = options;
      const body = bindingBodyBytes === undefined ? undefined : await reader.read(bindingBodyBytes);
      const source = threads.sourceOf(threadId, whenOver);
      const credential = await source.credential({ ...wait, signal });
      const fields = await fieldsOf(request, credential, body, signal);
      return new SigningAttempts(source, credential, fields, {
        origin,
        maxBodyBytes: options.replayBodyBytes,
        patience: wait,
        fieldsOf: (current, signing) => fieldsOf(request, current, body, signing),
        trailersOf: (current) => fieldsFor(current).trailersOf(request.rawHeaders),
      });
    } catch (error) {
      throw refusalOfSource(error);
    }
  }

  // No page may use this proxy, whatever an upstream allows to pages of its own.
  const keepsAnswerField = (name: string): boolean => !name.startsWith("access-control-");

  return {
    guard,
    isSecret,
    checkNames: (fields) => forwardedBound.checkNames(fields),
    admit,
    keepsAnswerField,
  };
}
