/** What a verifier needs from a request to check its binding. */
export interface RequestFacts {
  /** As received: methods are case-sensitive. */
  readonly method: string;
  /** The raw request target as received, for instance `/v1/x?y`. Not decoded, not rebuilt. */
  readonly target: string;
  /** The field lines as received: name, value, name, value, … as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /**
   * Whether the request has a body of at least one byte. `undefined` if that is known only after the body was read. A header decides it only if
   * the server's parser enforces that header, as Node's does for a `Content-Length` of HTTP/1.1.
   */
  readonly hasBody: boolean | undefined;
  /**
   * Reads the whole body, as received. Called at most once, only after the signature of the binding was found valid, and not if `hasBody` is
   * `false`. If the body is longer than `maxBytes`, it returns more than `maxBytes` bytes, or rejects.
   */
  readonly body: (maxBytes: number) => Promise<Uint8Array>;
}
