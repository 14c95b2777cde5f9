import { defineConfig } from "tsup";

export default defineConfig({
  entry: [
    "src/index.ts",
    "src/axios.ts",
    "src/client-address.ts",
    "src/express.ts",
    "src/fastify.ts",
    "src/fetch.ts",
    "src/handler.ts",
    "src/hono.ts",
    "src/message-signature.ts",
    "src/node.ts",
    "src/remote-directory.ts",
    "src/sign.ts",
    "src/store-contract.ts",
    "src/undici.ts",
    "src/websocket.ts",
  ],
  format: ["esm"],
  platform: "node",
  target: "node22",
  dts: false,
  clean: true,
  sourcemap: true,
});
