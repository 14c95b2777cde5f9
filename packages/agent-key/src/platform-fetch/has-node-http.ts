/** Returns whether Node's HTTP client is there and sends by itself: in Node, Bun and Deno. That of Workers is made of their `fetch`. */
export function hasNodeHttp(): boolean {
  if (globalThis.navigator?.userAgent === "Cloudflare-Workers") return false;
  return typeof globalThis.process?.getBuiltinModule === "function";
}
