import type { AssertionSigner } from "../sign/assertion-signer.js";

/** Options that every transport has. */
export interface AssertionOptions {
  /**
   * The URLs whose requests get a credential, at least one: origins, for instance `https://api.example`, compared as parsed origins; or an
   * origin with a path that holds `*`, for instance `https://api.example/v1/*`, which narrows the path: `*` as a whole segment stands for
   * one segment, at the end for everything below. `https`, or `http` to a loopback host. For requests elsewhere see `elsewhere`.
   */
  readonly origins: readonly string[];
  /** Makes the headers. Default: one of its own, by the local clock. */
  readonly signer?: AssertionSigner | undefined;
  /**
   * What happens to a caller's own credential at a named URL: `Authorization`, `x-api-key`, `api-key` and `x-goog-api-key`.
   *
   * - `"replace"`, the default: the assertion takes the place of `Authorization`, and the others are not sent.
   * - `"refuse"`: the request rejects with `invalid_request`, and nothing is sent.
   * - `"keep"`: a request with its own `Authorization` is sent unsigned, and the key fields are sent too.
   *
   * None of them is sent to a URL that is not named, if a redirect of a named one leads there.
   */
  readonly ownAuthorization?: OwnAuthorization | undefined;
  /** Key fields that `"replace"` and `"refuse"` leave as they are, for instance `["x-api-key"]`. Never `authorization`. Default: none. */
  readonly keepFields?: readonly string[] | undefined;
  /** What happens to a request to a URL that is not named: `"pass"`, the default, sends it as it is; `"refuse"` rejects with `invalid_request`. */
  readonly elsewhere?: Elsewhere | undefined;
  /**
   * Called with each warning: once for the first caller's credential that was replaced or kept, and once for each origin that is not named,
   * up to 100. Values of fields are never in it. Default: `process.emitWarning(message, { code })`.
   */
  readonly onWarning?: ((message: string, code: WarningCode) => void) | undefined;
  /** Allows plain `http` origins on other machines. Default false. Shows every assertion to the network. */
  readonly insecureHttp?: boolean | undefined;
  /**
   * Binds each request to its assertion (protocol.md §7): method, URL and body are signed again for every attempt. Default false. The body
   * must be known before it is sent: a stream is refused with `invalid_request`, and nothing is sent. A human's bearer binds nothing.
   */
  readonly binding?: boolean | undefined;
}

/** What happens to a caller's own credential at a named URL. */
export type OwnAuthorization = "replace" | "refuse" | "keep";

/** What happens to a request to a URL that is not named. */
export type Elsewhere = "pass" | "refuse";

/** Names a kind of warning, as `node --disable-warning` takes it. */
export type WarningCode = "COUNTERSIGN_OWN_AUTHORIZATION" | "COUNTERSIGN_UNNAMED_ORIGIN";
