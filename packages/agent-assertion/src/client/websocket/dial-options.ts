/** Header fields of a dial. */
export type DialHeaders = Record<string, string>;

/** Options of one dial. */
export interface DialOptions {
  /** Fields of the caller's own. What becomes of credentials among them: see `ownAuthorization`. */
  readonly headers?: Readonly<DialHeaders> | undefined;
  /** Ends the wait for a credential. */
  readonly signal?: AbortSignal | undefined;
}
