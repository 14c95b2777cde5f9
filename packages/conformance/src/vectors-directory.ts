/** The vectors that come with this package, made with libsodium and OpenSSL and checked against Codex 0.122: a directory, by file URL. */
export const VECTORS_DIRECTORY: URL = /* @__PURE__ */ new URL("../vectors/", import.meta.url);
