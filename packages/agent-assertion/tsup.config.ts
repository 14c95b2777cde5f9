import { defineConfig } from "tsup";

export default defineConfig({
  entry: [
    "src/index.ts",
    "src/fetch.ts",
    "src/message-signature.ts",
    "src/remote-directory.ts",
    "src/sign.ts",
  ],
  format: ["esm"],
  platform: "node",
  target: "node22",
  dts: false,
  clean: true,
  sourcemap: true,
});
