import { expect, test } from "vitest";
import { HeldBodies } from "./held-bodies.js";

const caller = (agent: string, account: string) => ({
  agent_runtime_id: agent,
  account_id: account,
});

function setUp(limits: { readonly isAlone?: boolean } = {}) {
  const maxRequestsPerAccount = limits.isAlone === true ? 8 : 4;
  const held = new HeldBodies({ maxHeldBytes: 80, maxRequests: 8, maxRequestsPerAccount });
  /** Holds a body, and gives the function that gives it back. */
  const hold = (of: ReturnType<typeof caller> | undefined, ...pieces: number[]) => {
    let bytes = 0;
    for (const piece of pieces) {
      held.take({ caller: of, bytes }, piece);
      bytes += piece;
    }
    return () => held.giveBack({ caller: of, bytes });
  };
  return { hold };
}

const refused = (code: string, whose = "") =>
  expect.objectContaining({
    code,
    limit: "held_bytes",
    retryAfterSeconds: 5,
    message: expect.stringContaining(whose),
  });

test("of one agent are a quarter, and one body however long it is (G-G14)", () => {
  const { hold } = setUp();
  const giveBack = hold(caller("agent-1", "acct-1"), 10, 11);
  expect(() => hold(caller("agent-1", "acct-1"), 1)).toThrow(refused("rate_limited", "agent"));
  hold(caller("agent-2", "acct-1"), 1);
  giveBack();
  hold(caller("agent-1", "acct-1"), 20);
  expect(() => hold(caller("agent-1", "acct-1"), 1)).toThrow(refused("rate_limited", "agent"));
});

test.each([
  { isAlone: false, code: "rate_limited", whose: "account", room: 2 },
  { isAlone: true, code: "server_error", whose: "bodies are held", room: 4 },
])("of one account are half, unless it is alone: $isAlone (G-G14)", (world) => {
  const { hold } = setUp(world);
  const agents = Array.from({ length: world.room }, (_, at) => `agent-${at}`);
  for (const agent of agents) hold(caller(agent, "acct-1"), 20);
  expect(() => hold(caller("another", "acct-1"), 1)).toThrow(refused(world.code, world.whose));
});

test("of all are bounded, and each can be held when the others are given back", () => {
  const { hold } = setUp();
  const ends = ["a", "b", "c", "d"].map((name) => hold(caller(name, `acct-${name}`), 20));
  expect(() => hold(caller("e", "acct-e"), 1)).toThrow(refused("server_error"));
  expect(() => hold(undefined, 1)).toThrow(refused("server_error"));
  for (const end of ends) end();
  hold(undefined, 100, 100);
  expect(() => hold(undefined, 1)).toThrow(refused("server_error"));
});
