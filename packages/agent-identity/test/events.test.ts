import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { AgentIdentityManager } from "../src/agent-identity-manager.js";
import type { AgentIdentityEvents } from "../src/identity-events.js";
import { onIdentityStep } from "./support/identity-steps.js";
import { openManager } from "./support/manager.js";

const NAMES = [
  "registering",
  "key_stored",
  "rotating",
  "next_key_stored",
  "requesting",
  "answered",
  "registered",
  "rotated",
  "refused",
  "replaced",
  "failed",
  "forgotten",
] as const satisfies (keyof AgentIdentityEvents)[];

const REGISTRATION = ["registering", "key_stored", "requesting", "answered", "registered"];

function recordEvents(manager: AgentIdentityManager): [string, object][] {
  const events: [string, object][] = [];
  for (const name of NAMES) manager.on(name, (event: object) => events.push([name, event]));
  return events;
}

function namesOf(events: [string, object][]): string[] {
  return events.map(([name]) => name);
}

describe("a refused registration", () => {
  it("emits failed with its error, once for all that wait, and no secret", async () => {
    const { authority, auth, manager } = await openManager();
    const events = recordEvents(manager);
    authority.fault("register_agent", { kind: "status", status: 400 });
    const outcomes = await Promise.allSettled([manager.ensure(), manager.ensure()]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(namesOf(events)).toEqual(["registering", "key_stored", "requesting", "failed"]);
    expect(events.at(-1)?.[1]).toMatchObject({
      accountId: "acct-1",
      userId: "user-1",
      during: "registration",
      error: { name: "AuthorityError" },
    });
    const human = await auth.current();
    const token = human?.kind === "human" ? human.accessToken : "";
    expect(token).not.toBe("");
    expect(JSON.stringify(events)).not.toContain(token);
  });

  it("emits nothing of a registration that its only caller ended", async () => {
    const { manager } = await openManager();
    const events = recordEvents(manager);
    const ending = new AbortController();
    manager.on("requesting", () => ending.abort());
    await expect(manager.ensure({ signal: ending.signal })).rejects.toThrow();
    await manager.close();
    expect(namesOf(events)).not.toContain("failed");
  });
});

describe("the life of an identity", () => {
  it("is emitted in its order: registered, rotated, refused, replaced, revoked, forgotten", async () => {
    const { authority, manager } = await openManager();
    const events = recordEvents(manager);
    const published: string[] = [];
    onIdentityStep(authority.url, ({ event }) => published.push(event));
    const first = await manager.ensure();
    await manager.rotate();
    const rotated = await manager.peek();
    if (first === undefined || rotated === undefined) throw new Error("no identity");
    const replaced = await manager.replace(rotated, "unknown_agent");
    if (replaced === undefined) throw new Error("no identity");
    manager.noteRevoked(replaced);
    await manager.forget(replaced);
    expect(namesOf(events)).toEqual([
      ...REGISTRATION,
      ...["rotating", "next_key_stored", "requesting", "answered", "rotated"],
      "refused",
      ...REGISTRATION,
      ...["replaced", "refused", "forgotten"],
    ]);
    expect(published).toEqual(namesOf(events));
    const owner = { authority: authority.url, accountId: "acct-1", userId: "user-1" };
    const { agentRuntimeId } = replaced;
    const formerAgentRuntimeId = first.agentRuntimeId;
    expect(events.slice(-3).map(([, event]) => event)).toEqual([
      { ...owner, agentRuntimeId, formerAgentRuntimeId, code: "unknown_agent" },
      { ...owner, agentRuntimeId, code: "agent_revoked" },
      { ...owner, agentRuntimeId },
    ]);
    expect(events[10]?.[1]).toEqual({
      ...owner,
      agentRuntimeId: formerAgentRuntimeId,
      code: "unknown_agent",
    });
  });

  it("is not changed by a listener that throws", async () => {
    const { manager } = await openManager();
    const warned = once(process, "warning");
    for (const name of REGISTRATION) {
      manager.on(name as "registered", () => {
        throw new Error("a listener's own fault");
      });
    }
    expect(await manager.ensure()).toBeDefined();
    expect((await warned)[0].message).toBe("a listener's own fault");
  });
});
