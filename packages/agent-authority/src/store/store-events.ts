/** Numbers of connections of a pool, and of callers that wait for one. */
export interface PoolState {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** Called by a store as it works. */
export interface StoreObserver {
  transactionEnded(outcome: "committed" | "failed", ms: number): void;
  /** So many transactions went to disk in one commit (SQLite). */
  groupCommitted(size: number): void;
}

/** Through these the parts of a store report what they do, and show their state. */
export interface StoreEvents {
  observer?: StoreObserver;
  /** PostgreSQL's. */
  readPool?: () => PoolState;
}
