/** Returns whether the runtime is Node itself. Deno, Bun and Workers offer Node's modules too, but name themselves in `navigator.userAgent`. */
export function isNode(): boolean {
  return globalThis.navigator?.userAgent?.startsWith("Node.js/") === true;
}
