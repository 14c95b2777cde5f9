import { defineConfig } from "tsup";
import manifest from "./package.json" with { type: "json" };

export default defineConfig({
  entry: [
    "src/index.ts",
    "src/authority-client.ts",
    "src/identity-jwt.ts",
    "src/keyring-store.ts",
    "src/server.ts",
    "src/store-contract.ts",
  ],
  format: ["esm"],
  platform: "node",
  target: "node22",
  dts: false,
  clean: true,
  sourcemap: true,
  define: { COUNTERSIGN_VERSION: JSON.stringify(manifest.version) },
});
