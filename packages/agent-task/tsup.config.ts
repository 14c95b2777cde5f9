import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/sealed-box.ts", "src/server.ts", "src/store-contract.ts"],
  format: ["esm"],
  platform: "node",
  target: "node22",
  dts: false,
  clean: true,
  sourcemap: true,
});
