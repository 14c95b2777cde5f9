/** Brings one admitted request to its answer. */
export interface Delivery {
  start(): void;
  /** Ends it, whether or not the request was answered. */
  stop(): void;
}
