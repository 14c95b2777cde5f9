/** @internal The object that a body holds, or `undefined` if the body is not a JSON object. */
export function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined;
  } catch {
    // Not JSON: the caller answers `invalid_request`.
    return undefined;
  }
}
