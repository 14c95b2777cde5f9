import type { AuthorityStore } from "../store/authority-store.js";
import { tryStore } from "../store/try-store.js";

const questions = new WeakMap<AuthorityStore, Promise<boolean>>();

/** Returns whether a database can be read and written. Concurrent probes share one query, because probes are not limited. */
export function isAnswering(store: AuthorityStore): Promise<boolean> {
  const asked = questions.get(store);
  if (asked !== undefined) return asked;
  // The caller is a probe: it acts on the answer, and the requests that fail log why.
  const question = tryStore(store)
    .then(
      () => true,
      () => false,
    )
    .finally(() => questions.delete(store));
  questions.set(store, question);
  return question;
}
