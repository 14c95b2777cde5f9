import { AssertionRejected, AssertionSigner, createVerifier } from "@countersign/agent-assertion";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import {
  AgentIdentityManager,
  createAuthSlot,
  type HumanAuth,
  memoryStore,
} from "@countersign/agent-identity";
import { AgentTaskManager, memoryTaskStore } from "@countersign/agent-task";
import { headerOf, startTestAuthority, startTestUpstream } from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";

const TURNS = 1000;

/** An authority that names its first agent agent_1 and its first task task_1, and a resource server of its own. */
async function startSide() {
  const authority = await startTestAuthority();
  onTestFinished(() => authority.close());
  const directory = remoteDirectory(authority.url);
  onTestFinished(async () => directory.close?.());
  const verifier = createVerifier({ directory });
  const server = await startTestUpstream(async (request) => {
    try {
      const verified = await verifier.verify(headerOf(request, "authorization"));
      return { body: { authority: verified.authority, taskId: verified.taskId } };
    } catch (error) {
      return { status: 401, body: { code: AssertionRejected.is(error) ? error.code : "internal" } };
    }
  });
  onTestFinished(() => server.close());
  const human: HumanAuth = {
    kind: "human",
    accountId: "acct-1",
    userId: "user-1",
    accessToken: authority.addHuman({ accountId: "acct-1", userId: "user-1" }),
  };
  return { authority, verifier, server, human };
}

test("two authorities that issue equal ids in one process never get each other's header over 1,000 interleaved turns (G-I1)", async () => {
  const sides = await Promise.all([startSide(), startSide()]);
  // Everything that can be shared is: stores, signer, transport, the names of account, user and thread.
  const credentials = memoryStore();
  const threads = memoryTaskStore();
  const signer = new AssertionSigner();
  const clients = sides.map(({ authority, server, human }) => {
    const identities = new AgentIdentityManager({
      authority: authority.url,
      auth: createAuthSlot(human),
      store: credentials,
      features: { isEnabled: () => true },
    });
    const tasks = new AgentTaskManager({ identities, store: threads });
    onTestFinished(async () => {
      await tasks.close();
      await identities.close();
    });
    const source = tasks.thread("thread-1");
    return {
      authority,
      server,
      api: withAssertion(fetch, source, { origins: [server.url], signer }),
    };
  });
  const turns = Array.from({ length: TURNS }, (_, index) => index);
  // Ten at a time, both sides mixed in each ten.
  for (let first = 0; first < TURNS; first += 10) {
    await Promise.all(
      turns.slice(first, first + 10).map(async (turn) => {
        const { api, server, authority } = clients[turn % 2] ?? expect.unreachable();
        const answer = await api(`${server.url}/v1/turns/${turn}`, { method: "POST" });
        expect({ status: answer.status, ...((await answer.json()) as object) }).toEqual({
          status: 200,
          authority: authority.url,
          taskId: "task_1",
        });
      }),
    );
  }
  for (const [index, { authority, server }] of sides.entries()) {
    expect(authority.counts).toMatchObject({ registerAgent: 1, registerTask: 1 });
    expect(authority.tasks).toMatchObject([{ agentRuntimeId: "agent_1", taskId: "task_1" }]);
    expect(server.requests).toHaveLength(TURNS / 2);
    // And the ids alone would not have shown it: the other side's verifier knows them, and refuses the key.
    const other = sides[1 - index] ?? expect.unreachable();
    const headers = new Set(server.requests.map((request) => headerOf(request, "authorization")));
    for (const header of headers) {
      await expect(other.verifier.verify(header)).rejects.toMatchObject({ code: "bad_signature" });
    }
  }
  expect(sides[0]?.authority.agents[0]?.publicKey).not.toBe(
    sides[1]?.authority.agents[0]?.publicKey,
  );
});
