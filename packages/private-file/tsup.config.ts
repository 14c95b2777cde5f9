import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/user-home.ts"],
  format: ["esm"],
  platform: "node",
  target: "node22",
  dts: false,
  clean: true,
  sourcemap: true,
});
