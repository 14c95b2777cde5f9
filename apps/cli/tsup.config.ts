import { defineConfig } from "tsup";

const common = { platform: "node", target: "node22", dts: false, sourcemap: true } as const;

export default defineConfig([
  { ...common, entry: ["src/bin.ts"], format: ["esm"], clean: true },
  // CommonJS, because a module's import of node:crypto evaluates every member of it.
  {
    ...common,
    entry: ["src/header/known-header.ts"],
    format: ["cjs"],
    noExternal: [/^@countersign\//],
  },
]);
