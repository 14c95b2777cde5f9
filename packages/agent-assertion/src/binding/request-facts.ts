/** What a verifier must know of a request to check its binding. */
export interface RequestFacts {
  /** As received: methods are case-sensitive. */
  readonly method: string;
  /** The raw request target as received, for instance `/v1/x?y`. Not decoded, not rebuilt. */
  readonly target: string;
  /** The field lines as received: name, value, name, value, … as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /**
   * Whether the request has a body: at least one byte. `undefined`: only reading it tells. A header tells it only where the server's parser
   * holds the body to that header, as Node's does for a `Content-Length` of HTTP/1.1.
   */
  readonly hasBody: boolean | undefined;
  /**
   * Reads the whole body, as received. Called at most once, only for a request whose binding's signature held, and not where `hasBody` is
   * `false`. Of a body longer than `maxBytes` it gives more than `maxBytes` bytes, or rejects.
   */
  readonly body: (maxBytes: number) => Promise<Uint8Array>;
}
