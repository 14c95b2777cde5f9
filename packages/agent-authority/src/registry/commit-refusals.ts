import type { AuthorityStore, Rows } from "../store/authority-store.js";
import { Refusal } from "./refusal.js";

/**
 * Runs a registration in one transaction. A {@link Refusal} is thrown after the commit, so that the biscuit it was presented with stays
 * spent; every other error rolls back.
 */
export async function commitRefusals<T>(
  store: AuthorityStore,
  run: (rows: Rows) => Promise<T>,
): Promise<T> {
  const outcome = await store.transaction(async (rows) => {
    try {
      return { value: await run(rows) };
    } catch (error) {
      if (error instanceof Refusal) return { refusal: error };
      throw error;
    }
  });
  if ("refusal" in outcome) throw outcome.refusal;
  return outcome.value;
}
