/** What a verifier must know of a request to check its binding. */
export interface RequestFacts {
  /** As received: methods are case-sensitive. */
  readonly method: string;
  /** The raw request target as received, for instance `/v1/x?y`. Not decoded, not rebuilt. */
  readonly target: string;
  /** The field lines as received: name, value, name, value, … as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /** Whether the request has a body, told by its framing: with HTTP/1.1 a `Transfer-Encoding`, or a `Content-Length` over 0. */
  readonly hasBody: boolean;
  /**
   * Reads the whole body, as received. Called at most once, and only for a request whose binding's signature held and covers a digest.
   * Of a body longer than `maxBytes` it gives more than `maxBytes` bytes, or rejects.
   */
  readonly body: (maxBytes: number) => Promise<Uint8Array>;
}
