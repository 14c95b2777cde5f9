/**
 * Writes named texts in one line, such as `ref="refs/heads/main", run_id="7"`. They are quoted, so that one cannot be written as if it were two. The caller escapes
 * what is not printable.
 *
 * @returns `undefined` if not all are texts
 */
export function formatTexts(texts: object): string | undefined {
  const entries = Object.entries(texts);
  if (!entries.every(([, value]) => typeof value === "string")) return undefined;
  return entries.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ");
}
