/** Connections of a pool, and who waits for one. */
export interface PoolState {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** Hears what a store does. */
export interface StoreObserver {
  transactionEnded(outcome: "committed" | "failed", ms: number): void;
  /** So many transactions went to disk in one commit (SQLite). */
  groupCommitted(size: number): void;
}

/** Where a store's parts tell what they do, and what can be read of them. */
export interface StoreEvents {
  observer?: StoreObserver;
  /** PostgreSQL's. */
  readPool?: () => PoolState;
}
