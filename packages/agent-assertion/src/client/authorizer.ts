import type { Credential, CredentialSource } from "@countersign/agent-key";
import { AssertionSigner } from "../sign/assertion-signer.js";
import { authorizationField } from "../sign/authorization-field.js";
import { bindRequest } from "../sign/bind-request.js";
import type { AssertionOptions } from "./assertion-options.js";
import { parseNamedUrls } from "./named-urls.js";

/** Names in lower case, and values, of header fields to send. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** What is sent, as far as signing needs to know it. */
export interface Outgoing {
  readonly url: URL;
  /** As it is sent. */
  readonly method: string;
  /** Scheme, host, path and query byte for byte as they are sent. Absent: those of `url`. */
  readonly targetUri?: string | undefined;
  /** The whole body, if the request is to be bound and has one. */
  readonly body?: Uint8Array | undefined;
  /** The caller's own `Content-Digest`. */
  readonly contentDigest?: string | undefined;
}

/** What all requests of a transport share: whose they are, which of them are signed, and how. */
export interface Authorizer {
  readonly source: CredentialSource;
  /** Whether bodies must be known before they are sent. */
  readonly isBinding: boolean;
  /** Tells whether requests to this URL get a credential. */
  covers(url: URL): boolean;
  /** Says that a request keeps the caller's own `Authorization` header. */
  warnOfOwnHeader(url: URL): void;
  /**
   * The fields of a request that is sent now; called anew for each attempt.
   *
   * @throws {AgentAssertionError} as `authorizationField` and `bindRequest`
   */
  fields(credential: Credential, outgoing: Outgoing): Fields;
}

/**
 * Reads a transport's options.
 *
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid` when an origin or a pattern is none
 */
export function createAuthorizer(source: CredentialSource, options: AssertionOptions): Authorizer {
  const { insecureHttp, binding: isBinding = false } = options;
  const signer = options.signer ?? new AssertionSigner();
  const warn = options.onWarning ?? warnOnce();
  return {
    source,
    isBinding,
    covers: parseNamedUrls(options.origins, { insecureHttp }),
    warnOfOwnHeader: ({ origin }) =>
      warn(`a request to ${origin} has its own Authorization header: not signed`),
    fields(credential, outgoing) {
      const { url, method, targetUri = url.href, body, contentDigest } = outgoing;
      const authorization = authorizationField(credential, url.origin, signer);
      if (authorization === undefined) return [];
      const field = ["authorization", authorization] as const;
      if (!isBinding || credential.kind !== "agent") return [field];
      const input = { credential, authorization, method, targetUri, body, contentDigest };
      return [field, ...bindRequest(input)];
    },
  };
}

function warnOnce(): (message: string) => void {
  let hasWarned = false;
  return (message) => {
    if (hasWarned) return;
    hasWarned = true;
    process.emitWarning(message, { code: "COUNTERSIGN_OWN_AUTHORIZATION" });
  };
}
