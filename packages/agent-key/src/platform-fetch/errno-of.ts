/**
 * The code of what broke a request: the system's (`ECONNREFUSED`), that of Node's parser (`HPE_…`) or of its `fetch` (`UND_ERR_…`). The outermost if
 * errors are nested; `undefined` if there is none.
 */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return code ?? errnoOf(error instanceof AggregateError ? error.errors[0] : error.cause);
}
