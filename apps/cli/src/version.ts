/** Reads the version of this package; the built files stand one folder below its `package.json`, as the sources do. */
export function readVersion(): string {
  // Not by an import: that evaluates every member of node:fs, its streams too, and `--version` would wait for them.
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const manifest: unknown = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) {
    if (typeof manifest.version === "string") return manifest.version;
  }
  return "unknown";
}
