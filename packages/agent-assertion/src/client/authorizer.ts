import type {
  AgentCredential,
  Credential,
  CredentialSource,
  SignOptions,
} from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { AssertionSigner } from "../sign/assertion-signer.js";
import { headerAsync } from "../sign/async/header-async.js";
import { isReady } from "../sign/async/is-ready.js";
import { authorizationField } from "../sign/authorization-field.js";
import type { ReadyCredential } from "../sign/ready-credential.js";
import type { AssertionOptions } from "./assertion-options.js";
import { checkTransport } from "./check-transport.js";
import { parseNamedUrls } from "./named-urls.js";
import { type OwnCredentialRule, ownCredentialRule } from "./own-credentials.js";
import type { RequestBinder } from "./request-binder.js";
import { type TransportWarnings, transportWarnings } from "./transport-warnings.js";

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
export interface Authorizer extends OwnCredentialRule {
  readonly source: CredentialSource;
  readonly warnings: TransportWarnings;
  /** Whether bodies must be known before they are sent. */
  readonly isBinding: boolean;
  /** Whether requests to this URL get a credential. */
  covers(url: URL): boolean;
  /**
   * Takes note of a request that is not for a named URL.
   *
   * @param url - where it goes; `undefined` if that cannot be known
   * @param isRedirect - whether a redirect asked for it, so that its caller did not choose the URL
   * @throws {AgentAssertionError} `invalid_request` if such requests are refused
   */
  elsewhere(url: URL | undefined, isRedirect?: boolean): void;
  /**
   * Whether a credential may go to the origin of this URL. If not, the request is sent without one.
   *
   * @throws {Error} as `authorizationField`
   */
  carries(credential: Credential, url: URL): boolean;
  /**
   * The fields of a request that is sent now. Called again for each attempt.
   *
   * @throws {AgentAssertionError} as `authorizationField` and `bindRequest`
   */
  fields(credential: ReadyCredential, outgoing: Outgoing): Fields;
  /**
   * The same fields with any credential.
   *
   * @throws {AgentAssertionError | AgentKeyError} as `authorizationFieldAsync` and `bindRequestAsync`
   */
  fieldsAsync(credential: Credential, outgoing: Outgoing, options: SignOptions): Promise<Fields>;
}

/**
 * Reads a transport's options.
 *
 * @param binder - binds requests if the option `binding` says so. Absent: the transport has no such option
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid` if an argument or an option is not valid; the message names it
 */
export function createAuthorizer(
  source: CredentialSource,
  options: AssertionOptions,
  binder: RequestBinder | undefined,
): Authorizer {
  checkTransport(source, options);
  const { insecureHttp } = options;
  const binding = options.binding === true ? requiredBinder(binder) : undefined;
  const signer = options.signer ?? new AssertionSigner();
  const { origins, covers } = parseNamedUrls(options.origins, { insecureHttp });
  const warnings = transportWarnings(options, origins);
  const fields = (credential: ReadyCredential, outgoing: Outgoing): Fields => {
    const authorization = authorizationField(credential, outgoing.url.origin, signer);
    const field = ofAuthorization(authorization);
    if (binding === undefined || authorization === undefined || credential.kind !== "agent")
      return field;
    return [...field, ...binding.bindRequest(bindingOf(credential, authorization, outgoing))];
  };
  return {
    ...ownCredentialRule(options),
    source,
    warnings,
    isBinding: binding !== undefined,
    covers,
    elsewhere(url, isRedirect = false) {
      if (options.elsewhere === "refuse") throw refusedElsewhere(url, origins);
      const isWebUrl = url !== undefined && url.origin !== "null";
      if (isWebUrl && !isRedirect && !origins.includes(url.origin)) warnings.unnamed(url);
    },
    carries: (credential, { origin }) =>
      credential.kind === "agent" || authorizationField(credential, origin, signer) !== undefined,
    fields,
    async fieldsAsync(credential, outgoing, sign) {
      if (isReady(credential)) return fields(credential, outgoing);
      const authorization = await headerAsync(signer, credential, sign);
      const field = ofAuthorization(authorization);
      if (binding === undefined) return field;
      const input = bindingOf(credential, authorization, outgoing);
      return [...field, ...(await binding.bindRequestAsync(input, sign))];
    },
  };
}

// A request is never sent unbound where its program asked for a binding.
function requiredBinder(binder: RequestBinder | undefined): RequestBinder {
  if (binder !== undefined) return binder;
  throw new AgentAssertionError("config_invalid", "signedFetch has no option binding", {
    hint: "use withAssertion",
  });
}

function ofAuthorization(value: string | undefined): Fields {
  return value === undefined ? [] : [["authorization", value]];
}

function bindingOf<Agent extends AgentCredential>(
  credential: Agent,
  authorization: string,
  outgoing: Outgoing,
) {
  const { method, url, targetUri = url.href, body, contentDigest } = outgoing;
  return { credential, authorization, method, targetUri, body, contentDigest };
}

// Without the path, which may hold a secret.
function refusedElsewhere(url: URL | undefined, origins: readonly string[]): AgentAssertionError {
  const target = url === undefined ? "an unknown URL" : `this URL of ${url.origin}`;
  const message = `origins does not name ${target}: nothing was sent there`;
  return new AgentAssertionError("invalid_request", message, {
    hint: `it names URLs of ${origins.join(", ")}; name this one too, or use another client for it`,
  });
}
