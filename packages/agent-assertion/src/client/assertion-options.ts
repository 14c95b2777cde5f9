import type { AssertionSigner } from "../sign/assertion-signer.js";

/** Options that every transport has. */
export interface AssertionOptions {
  /**
   * The URLs whose requests get a credential: origins, for instance `https://api.example`, compared as parsed origins; or an origin with a
   * path that holds `*`, for instance `https://api.example/v1/*`, which narrows the path: `*` as a whole segment stands for one segment, at
   * the end for everything below. `https`, or `http` to a loopback host. Requests elsewhere pass untouched.
   */
  readonly origins: readonly string[];
  /** Makes the headers. Default: one of its own, by the local clock. */
  readonly signer?: AssertionSigner | undefined;
  /** Hears that a caller's own `Authorization` header won. Default: `process.emitWarning`, once. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Allows plain `http` origins on other machines. Default false. Shows every assertion to the network. */
  readonly insecureHttp?: boolean | undefined;
  /**
   * Binds each request to its assertion (protocol.md §5): method, URL and body are signed, anew for every attempt. Default false. The body
   * must be known before it is sent: a stream is refused with `invalid_request`, and nothing is sent. A human's bearer binds nothing.
   */
  readonly binding?: boolean | undefined;
}
