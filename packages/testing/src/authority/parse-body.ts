/** @internal The object that a body holds; `undefined`: it is none. */
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
