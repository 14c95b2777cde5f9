// A cause may be its own.
const MOST_CAUSES = 8;

/**
 * The code of what broke a request: the system's (`ECONNREFUSED`), that of Node's parser (`HPE_…`) or of its `fetch` (`UND_ERR_…`). The outermost if
 * errors are nested; `undefined` if there is none.
 */
export function errnoOf(error: unknown): string | undefined {
  let found = error;
  for (let depth = 0; depth < MOST_CAUSES && found instanceof Error; depth += 1) {
    if ("code" in found && typeof found.code === "string") return found.code;
    found = found instanceof AggregateError ? found.errors[0] : found.cause;
  }
  return undefined;
}
