// A cause may be its own.
const MOST_CAUSES = 8;

// Node's `fetch` does not say what its parser refused.
const PARSER_ERROR = "HTTPParserError";
const UNKNOWN_TO_PARSER = "HPE_UNKNOWN";

/**
 * The code of what broke a request: the system's (`ECONNREFUSED`), that of Node's parser (`HPE_…`, `HPE_UNKNOWN` if it gives none) or of its `fetch`
 * (`UND_ERR_…`). The outermost if errors are nested; `undefined` if there is none.
 */
export function errnoOf(error: unknown): string | undefined {
  let found = error;
  for (let depth = 0; depth < MOST_CAUSES && found instanceof Error; depth += 1) {
    if ("code" in found && typeof found.code === "string") return found.code;
    if (found.name === PARSER_ERROR) return UNKNOWN_TO_PARSER;
    found = found instanceof AggregateError ? found.errors[0] : found.cause;
  }
  return undefined;
}
