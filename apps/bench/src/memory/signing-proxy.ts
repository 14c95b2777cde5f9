import { AgentKey, type CredentialSource } from "@countersign/agent-key";
import { createProxyMetrics, createSigningProxy } from "@countersign/assertion-proxy";
import { AGENT, AUTHORITY, readSetting } from "./setting.ts";

const { upstream, pkcs8, clientToken } = await readSetting();
const key = AgentKey.importPkcs8(pkcs8);
const source: CredentialSource = {
  credential: async () => ({ kind: "agent", authority: AUTHORITY, ...AGENT, key }),
  refused: async () => undefined,
  accepted: () => {},
};
const proxy = createSigningProxy({
  upstream,
  source: () => source,
  clientToken,
  metrics: createProxyMetrics(),
});
console.log((await proxy.listen({ host: "127.0.0.1", port: 0 })).url);
