/**
 * The path of a request's target as the router compares it: without origin, query and fragment, and decoded. A target that cannot be decoded is
 * given as it is, and the router refuses it.
 */
export function routedPath(target: string): string {
  const [path = ""] = target.replace(/^https?:\/\/[^/?#]*/i, "").split(/[?#]/, 1);
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
