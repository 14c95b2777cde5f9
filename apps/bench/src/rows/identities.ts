import { fileStore, type StoredIdentity } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { type AgentHome, makeAgentHome } from "../fixtures/agent-home.ts";
import { oneAtATime } from "../fixtures/contenders.ts";
import { callStub } from "../fixtures/stub-fetch.ts";
import type { ComparisonRow } from "../harness/row.ts";

const MANY = 5_000;

// A warm turn with a signed fetch that answers at once, login in the home; the homes differ only in the identities of other users.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "identities",
  title: "a turn in a home with 5,000 stored identities",
  against: "the same with 1",
  figure: "cost",
  decides: "cpu",
  goal: { limit: "at most", value: 1.2 },
  async open() {
    const [many, one] = [await makeAgentHome(), await makeAgentHome()];
    await addIdentities(many, MANY - 1);
    return {
      product: oneAtATime(await warmTurn(many)),
      peer: oneAtATime(await warmTurn(one)),
      async close() {
        await Promise.all([many.close(), one.close()]);
      },
    };
  },
};

async function warmTurn(home: AgentHome): Promise<() => Promise<unknown>> {
  const thread = home.program("stored").tasks.thread("thread-1");
  const call = callStub(thread);
  await thread.run(call);
  return () => thread.run(call);
}

async function addIdentities(home: AgentHome, count: number): Promise<void> {
  const others = Array.from({ length: count }, (_, at): StoredIdentity => {
    return {
      authority: home.authority.url,
      account_id: "acct-1",
      user_id: `other-${at}`,
      private_key: AgentKey.generate().exportPkcs8(),
      agent_runtime_id: `agent_${at}`,
      state: "registered",
      registered_at: new Date().toISOString(),
    };
  });
  await fileStore(home.path).update((current) => ({
    ...current,
    identities: [...current.identities, ...others],
  }));
}
