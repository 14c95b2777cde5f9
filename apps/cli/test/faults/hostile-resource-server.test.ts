import { headerOf, startTestUpstream, type TestUpstream } from "@countersign/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { startFaultAgent } from "./fault-agent.js";
import { startRealAuthority } from "./real-authority.js";

const TURNS = 100;
const TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000;

/** A resource server that refuses each request, with a code and whatever else it likes. */
async function startHostile(refuse: (turn: number) => { code?: string; date?: Date }) {
  let turn = 0;
  const server = await startTestUpstream(() => {
    const { code, date } = refuse(turn);
    turn += 1;
    const headers: Record<string, string> = {};
    if (code !== undefined) headers["www-authenticate"] = `AgentAssertion error="${code}"`;
    if (date !== undefined) headers.date = date.toUTCString();
    return { status: 401, headers };
  });
  onTestFinished(() => server.close());
  return server;
}

async function startWorld(refuse: Parameters<typeof startHostile>[0]) {
  const authority = await startRealAuthority();
  const agent = startFaultAgent({ authority: authority.url, accessToken: await authority.token() });
  const server = await startHostile(refuse);
  const turn = agent.turns(agent.tasks.thread("thread-1"), server.url);
  return { authority, agent, server, turn };
}

/** The timestamps of all assertions that a server received, epoch ms. */
function timestampsOf(server: TestUpstream): number[] {
  return server.requests.map((request) => {
    const [scheme, value = ""] = (headerOf(request, "authorization") ?? "").split(" ");
    expect(scheme).toBe("AgentAssertion");
    return Date.parse(JSON.parse(Buffer.from(value, "base64url").toString()).timestamp);
  });
}

describe("a hostile resource server", () => {
  test.each([
    { what: "unknown_agent", codes: ["unknown_agent"] },
    { what: "agent_revoked", codes: ["agent_revoked"] },
    { what: "agent_expired", codes: ["agent_expired"] },
    { what: "a revoked task", codes: ["task_revoked"] },
    { what: "no code", codes: [undefined] },
    { what: "another lie each time", codes: ["unknown_task", "unknown_agent", undefined] },
  ])(
    "that says $what for 100 turns costs no agent registration and one task registration (G-I6)",
    async ({ codes }) => {
      const { authority, server, turn } = await startWorld((index) => {
        const code = codes[index % codes.length];
        return code === undefined ? {} : { code };
      });
      for (let index = 0; index < TURNS; index += 1) {
        expect(await turn(`turn-${index}`)).toMatchObject({ status: 401 });
      }
      // The thread's own two registrations, and one of each because of the server.
      expect(authority.count("register_agent")).toBe(1);
      expect(authority.count("register_task")).toBe(2);
      expect(await authority.registry.listAgents()).toHaveLength(1);
      expect(server.requests).toHaveLength(TURNS + 1);
    },
  );

  test("costs no more when many turns come at once (G-I6)", async () => {
    const { authority, turn } = await startWorld(() => ({ code: "unknown_agent" }));
    const all = await Promise.all(Array.from({ length: TURNS }, (_, index) => turn(`${index}`)));
    expect(all.every(({ status }) => status === 401)).toBe(true);
    expect(authority.count("register_agent")).toBe(1);
    expect(authority.count("register_task")).toBe(2);
  });

  test.each([
    ["expired", TEN_YEARS_MS],
    ["not_yet_valid", -TEN_YEARS_MS],
    ["expired", 3_600_000],
    ["not_yet_valid", -3_600_000],
  ])(
    "that says %s with a Date of %d ms beside the truth moves no signed timestamp (G-I8)",
    async (code, ms) => {
      const { authority, server, turn } = await startWorld(() => ({
        code,
        date: new Date(Date.now() + ms),
      }));
      const startedAt = Date.now();
      for (let index = 0; index < TURNS; index += 1) {
        expect(await turn(`turn-${index}`)).toMatchObject({ status: 401 });
      }
      const endedAt = Date.now();
      for (const timestamp of timestampsOf(server)) {
        expect(timestamp).toBeGreaterThanOrEqual(startedAt - 5000);
        expect(timestamp).toBeLessThanOrEqual(endedAt + 5000);
      }
      expect(server.requests).toHaveLength(TURNS);
      expect(authority.count("register_agent")).toBe(1);
      expect(authority.count("register_task")).toBe(1);
    },
  );

  test("learns nothing from an agent whose clock is wrong, and moves it by the authority's time alone", async () => {
    const authority = await startRealAuthority();
    const wrong = () => Date.now() - 600_000;
    const agent = startFaultAgent({
      authority: authority.url,
      accessToken: await authority.token(),
      now: wrong,
    });
    const server = await startHostile((index) => ({
      code: index % 2 === 0 ? "expired" : "not_yet_valid",
      date: new Date(Date.now() + TEN_YEARS_MS),
    }));
    const turn = agent.turns(agent.tasks.thread("thread-1"), server.url);
    const startedAt = Date.now();
    for (let index = 0; index < TURNS; index += 1) await turn(`turn-${index}`);
    const endedAt = Date.now();
    // Its first registration was refused for the time, and taught it the authority's.
    for (const timestamp of timestampsOf(server)) {
      expect(timestamp).toBeGreaterThanOrEqual(startedAt - 5000);
      expect(timestamp).toBeLessThanOrEqual(endedAt + 5000);
    }
  });
});
