import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { defineConfig } from "tsup";

const common = { platform: "node", target: "node22", dts: false, sourcemap: true } as const;

export default defineConfig([
  {
    ...common,
    entry: ["src/bin.ts"],
    format: ["esm"],
    clean: true,
    onSuccess: async () => copyOperatingFiles("../../docs/operating", "dist/operating"),
  },
  // CommonJS, because a module's import of node:crypto evaluates every member of it.
  {
    ...common,
    entry: ["src/header/known-header.ts"],
    format: ["cjs"],
    noExternal: [/^@countersign\//],
  },
]);

/** Copies the files and no folder: an operator who follows the page keeps secrets in one. */
function copyOperatingFiles(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isFile()) copyFileSync(`${from}/${entry.name}`, `${to}/${entry.name}`);
  }
}
