// Makes ten changes, one by one, in a Codex home that others change at the same time: `update-codex.ts AUTHORITY CODEX_HOME HOME NAME`.
import { fileStore } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { codexAuthStore } from "../../src/index.js";

const [authority = "", codexHome = "", home = "", name = ""] = process.argv.slice(2);
const store = codexAuthStore(codexHome, { authority, beside: fileStore(home) });
const private_key = AgentKey.generate().exportPkcs8();
process.stdout.write("ready\n");
process.stdin.once("data", async () => {
  for (let i = 0; i < 10; i += 1) {
    const entry = {
      authority,
      account_id: "acct-1",
      user_id: `${name}${i}`,
      private_key,
      agent_runtime_id: `agent_${name}${i}`,
      state: "registered" as const,
    };
    await store.update((current) => ({ ...current, identities: [...current.identities, entry] }));
  }
  process.stdin.destroy();
});
