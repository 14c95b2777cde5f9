import { LinkedMap } from "@countersign/agent-key";

const AGAIN_AFTER_MS = 10 * 60 * 1000;
const MAX_ORIGINS = 1000;

/**
 * Bounds what refusals of resource servers can cause: after one recovery for an origin the next is allowed only when a request there was
 * answered other than 401, or after 10 minutes. One for each thread.
 *
 * @see docs/protocol.md §10
 */
export class RecoveryBudget {
  readonly #spentAt = new LinkedMap<string, number>(MAX_ORIGINS);

  /** Takes the recovery of an origin. @returns whether it was there to take */
  take(origin: string, now: number): boolean {
    const spentAt = this.#spentAt.get(origin);
    if (spentAt !== undefined && now - spentAt < AGAIN_AFTER_MS) return false;
    this.#spentAt.set(origin, now);
    return true;
  }

  /** Gives the recovery of an origin back. */
  restore(origin: string): void {
    this.#spentAt.delete(origin);
  }
}
