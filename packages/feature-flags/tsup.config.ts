import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/openfeature.ts"],
  format: ["esm"],
  platform: "node",
  target: "node22",
  dts: false,
  clean: true,
  sourcemap: true,
});
