import { agentRegistrationKeyid } from "@countersign/agent-identity/server";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import {
  contentDigest,
  type SignMessageInput,
  signMessage,
} from "@countersign/agent-key/message-signature";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { AgentAuthorityError, createAuthority } from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import { agentBody, NOON, TestedAuthority, taskBody, taskPath } from "./start-authority.js";

const REGISTER = "/v1/agent/register";
const DAY_SECONDS = 86_400;
const REQUIRE = { registrationProof: "require" } as const;

interface ProofOptions {
  /** What is signed in place of the right thing. */
  readonly signed?: Partial<SignMessageInput> & { readonly body?: string; readonly url?: string };
  /** What is sent beside the proof, or in place of a field of it; `undefined` takes a field away. */
  readonly sent?: Readonly<Record<string, string | string[] | undefined>>;
  /** Sent as the body in place of the signed one. */
  readonly body?: string;
  readonly path?: string;
}

// Registers with a proof by signMessage, as the client makes it unless the options say otherwise.
async function send(
  tested: TestedAuthority,
  right: Pick<SignMessageInput, "key" | "keyid" | "created"> & {
    readonly path: string;
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
  },
  { signed = {}, sent = {}, body = right.body, path = right.path }: ProofOptions,
) {
  const digest = contentDigest(Buffer.from(signed.body ?? right.body));
  const key = right.headers["idempotency-key"];
  const { signatureInput, signature } = signMessage({
    key: right.key,
    keyid: right.keyid,
    created: right.created,
    tag: "agent-registration",
    components: [
      ["@method", "POST"],
      ["@target-uri", signed.url ?? tested.url + right.path],
      ["content-digest", digest],
      ...(key === undefined ? [] : [["idempotency-key", key] as const]),
    ],
    ...signed,
  });
  const headers = {
    "content-type": "application/json",
    ...right.headers,
    "content-digest": digest,
    "signature-input": signatureInput,
    signature,
    ...sent,
  };
  return tested.call("POST", path, {
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    ),
    body,
  });
}

async function registerAgent(
  tested: TestedAuthority,
  key: AgentKey,
  options: ProofOptions & { readonly userId?: string } = {},
) {
  const token = await tested.token("human", options.userId);
  return send(
    tested,
    {
      key,
      keyid: agentRegistrationKeyid(key.publicKey),
      created: NOON / 1000,
      path: REGISTER,
      body: JSON.stringify(agentBody(key)),
      headers: { authorization: `Bearer ${token}` },
    },
    options,
  );
}

async function registerTask(
  tested: TestedAuthority,
  { id, key }: { readonly id: string; readonly key: AgentKey },
  options: ProofOptions & { readonly idempotencyKey?: string } = {},
) {
  const { idempotencyKey } = options;
  return send(
    tested,
    {
      key,
      keyid: id,
      created: NOON / 1000,
      path: taskPath(id),
      body: JSON.stringify(taskBody(id, key, NOON)),
      headers: idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey },
    },
    options,
  );
}

// Each breaks one thing of a proof that would hold, whatever is registered with it.
const other = AgentKey.generate();
const wrong: [string, ProofOptions][] = [
  ["by another key", { signed: { key: other } }],
  ["that names another key", { signed: { keyid: "agent-2" } }],
  ["for another URL", { signed: { url: "http://127.0.0.1:1/v1/agent/register" } }],
  ["that covers no URL", { signed: { components: [["@method", "POST"]] } }],
  ["over another body", { signed: { body: "{}" } }],
  [
    "with a digest that is not covered",
    { sent: { "content-digest": contentDigest(other.sign("")) } },
  ],
  ["without a digest", { sent: { "content-digest": undefined } }],
  [
    "with another digest beside it",
    { sent: { "content-digest": ["sha-256=:AA==:", "md5=:AA==:"] } },
  ],
  ["that does not cover an Idempotency-Key", { sent: { "idempotency-key": "another" } }],
  ["without its signature", { sent: { signature: undefined } }],
  ["that does not parse", { sent: { "signature-input": 'a=("@method";tag="agent-registration"' } }],
  ["with a short nonce", { signed: { nonce: "short" } }],
];

describe("a registration proof", () => {
  it.each(wrong)("%s is refused, and no agent is registered (G-A14)", async (_, options) => {
    for (const registrationProof of ["accept", "require"] as const) {
      await using tested = await TestedAuthority.start({ registrationProof });
      const answer = await registerAgent(tested, AgentKey.generate(), options);
      expectRefusal(answer, 401, "bad_signature");
      expect(await tested.authority.registry.listAgents()).toEqual([]);
    }
  });

  it.each(wrong)("%s is refused, and no task is registered (G-A14)", async (_, options) => {
    await using tested = await TestedAuthority.start();
    const agent = await tested.agent();
    const answer = await registerTask(tested, agent, options);
    expectRefusal(answer, 401, "bad_signature");
    expect(await tested.authority.registry.listTasks()).toEqual([]);
  });

  it("for one kind of registration is refused for the other, and so is one for a request", async () => {
    await using tested = await TestedAuthority.start();
    const agent = await tested.agent();
    const signed = { url: tested.url + taskPath(agent.id) };
    expectRefusal(await registerAgent(tested, agent.key, { signed }), 401, "bad_signature");
    await using strict = await TestedAuthority.start(REQUIRE);
    const asserted = await registerAgent(strict, agent.key, { signed: { tag: "agent-assertion" } });
    expectRefusal(asserted, 401, "bad_signature");
  });

  it("of a task is refused at another time than its body's", async () => {
    await using tested = await TestedAuthority.start();
    const agent = await tested.agent();
    for (const seconds of [-1, 1]) {
      const answer = await registerTask(tested, agent, {
        signed: { created: NOON / 1000 + seconds },
      });
      expectRefusal(answer, 401, "bad_signature");
    }
    expect((await registerTask(tested, agent)).status).toBe(200);
  });

  it("of an agent is refused outside of a day, and taken at both its ends", async () => {
    await using tested = await TestedAuthority.start();
    for (const seconds of [-DAY_SECONDS - 1, DAY_SECONDS + 1]) {
      const signed = { created: NOON / 1000 + seconds };
      const answer = await registerAgent(tested, AgentKey.generate(), { signed });
      expectRefusal(answer, 401, "bad_signature");
    }
    for (const seconds of [-DAY_SECONDS, DAY_SECONDS]) {
      const signed = { created: NOON / 1000 + seconds };
      const answer = await registerAgent(tested, AgentKey.generate(), { signed });
      expect(answer.status).toBe(200);
    }
  });

  it("of a task is no answer to whether its agent is known", async () => {
    await using tested = await TestedAuthority.start(REQUIRE);
    const key = AgentKey.generate();
    expectRefusal(await registerTask(tested, { id: "agent_1", key }), 401, "unknown_agent");
  });

  it("covers the Idempotency-Key where one is sent", async () => {
    await using tested = await TestedAuthority.start(REQUIRE);
    const key = AgentKey.generate();
    const { body } = await registerAgent(tested, key);
    const agent = { id: body.agent_runtime_id, key };
    const idempotencyKey = "once";
    const changed = { idempotencyKey, sent: { "idempotency-key": "twice" } };
    expectRefusal(await registerTask(tested, agent, changed), 401, "bad_signature");
    const dropped = { idempotencyKey, sent: { "idempotency-key": undefined } };
    expectRefusal(await registerTask(tested, agent, dropped), 401, "bad_signature");
    expect((await registerTask(tested, agent, { idempotencyKey })).status).toBe(200);
    expect((await registerTask(tested, agent, { idempotencyKey })).status).toBe(200);
    expect(await tested.authority.registry.listTasks()).toHaveLength(1);
  });
});

describe("a key that its agent's registration proved", () => {
  it("belongs to the agent at once, and to no other agent (G-A14)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const key = AgentKey.generate();
    const { body } = await registerAgent(tested, key);
    expect(await registry.getAgent(body.agent_runtime_id)).toMatchObject({ proven: true });
    const stranger = await tested.token("human", "user-2");
    expectRefusal(await tested.registerAgent(stranger, key), 409, "invalid_key");
    expectRefusal(await registerAgent(tested, key, { userId: "user-2" }), 409, "invalid_key");
    expect((await registry.listAuditEvents()).map(({ action }) => action)).toContain(
      "agent_proven",
    );
  });

  it("ends strangers' claims to it, and takes up the agent's own", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const key = AgentKey.generate();
    const stranger = await tested.registerAgent(await tested.token("human", "user-2"), key);
    const own = await tested.registerAgent(await tested.token(), key);
    const proved = await registerAgent(tested, key);
    expect(proved.body.agent_runtime_id).toBe(own.body.agent_runtime_id);
    expect(await registry.getAgent(stranger.body.agent_runtime_id)).toBeUndefined();
    expect((await registry.listAgents()).map(({ proven }) => proven)).toEqual([true]);
    expect((await registerAgent(tested, key)).status, "a repeat").toBe(200);
  });

  it("does not lapse", async () => {
    await using tested = await TestedAuthority.start();
    const { body } = await registerAgent(tested, AgentKey.generate());
    tested.clock.nowMs += 2 * DAY_SECONDS * 1000;
    const agents = await tested.authority.registry.listAgents();
    expect(agents.map(({ agentRuntimeId }) => agentRuntimeId)).toEqual([body.agent_runtime_id]);
  });

  it("is a claim as ever without a proof", async () => {
    await using tested = await TestedAuthority.start();
    const { id } = await tested.agent();
    expect(await tested.authority.registry.getAgent(id)).toMatchObject({ proven: false });
  });
});

describe("a repeat for an agent whose key is proven", () => {
  const options = { capabilities: ["binding", "search"], agentTtlSeconds: 3_600 } as const;
  const asked = (key: AgentKey) => ({ ...agentBody(key), capabilities: ["binding"] });
  const taken = {
    abom: { agent_version: "6.6.6", agent_harness_id: "other", running_location: "elsewhere" },
    capabilities: ["search"],
  };

  const rowOf = (tested: TestedAuthority) =>
    tested.store.rows.selectFrom("agents").selectAll().executeTakeFirstOrThrow();

  async function prove(tested: TestedAuthority, key: AgentKey, how: "task" | "proof") {
    if (how === "proof") {
      const body = JSON.stringify(asked(key));
      return registerAgent(tested, key, { signed: { body }, body });
    }
    const answer = await tested.registerAgent(await tested.token(), key, asked(key));
    expect((await tested.registerTask(answer.body.agent_runtime_id, key)).status).toBe(200);
    return answer;
  }

  it.each(["task", "proof"] as const)(
    "without a proof renews its life and changes nothing else, proven by a %s (G-A15)",
    async (how) => {
      await using tested = await TestedAuthority.start(options);
      const key = AgentKey.generate();
      const { body } = await prove(tested, key, how);
      const row = await rowOf(tested);
      expect(row).toMatchObject({ proven_at: formatTimestamp(NOON), capabilities: '["binding"]' });
      const token = await tested.token();

      const shorter = await tested.registerAgent(token, key, { ...taken, ttl: 1 });
      expect(shorter.body).toEqual(body);
      expect(await rowOf(tested)).toEqual(row);

      tested.clock.nowMs += 60_000;
      const later = await tested.registerAgent(token, key, taken);
      const expires_at = formatTimestamp(NOON + 3_660_000);
      expect(later.body).toEqual({ ...body, expires_at });
      expect(await rowOf(tested)).toEqual({ ...row, expires_at });

      // As Codex repeats it: it asks for no capability.
      const bare = await tested.registerAgent(token, key, agentBody(key));
      expect(bare.body).toEqual({ ...body, expires_at });
      expect(await rowOf(tested)).toEqual({ ...row, expires_at });

      // Its end has come: the client registers the same key again, which Codex does without a proof.
      tested.clock.nowMs += 7_200_000;
      const ended = await tested.registerTask(body.agent_runtime_id, key);
      expectRefusal(ended, 401, "agent_expired");
      const again = await tested.registerAgent(token, key, taken);
      expect(again.body.agent_runtime_id).toBe(body.agent_runtime_id);
      expect(await rowOf(tested)).toEqual({ ...row, expires_at: again.body.expires_at });
      expect((await tested.registerTask(body.agent_runtime_id, key)).status).toBe(200);
    },
  );

  it("with a biscuit and without a proof changes nothing else either (G-A15)", async () => {
    await using tested = await TestedAuthority.start(options);
    const key = AgentKey.generate();
    const { body } = await prove(tested, key, "task");
    const row = await rowOf(tested);
    const biscuit = await tested.biscuit(await tested.token(), REGISTER);
    const answer = await tested.call("POST", REGISTER, {
      headers: { "x-openai-authorization": biscuit },
      body: { ...agentBody(key), ...taken },
    });
    expect(answer.body.agent_runtime_id).toBe(body.agent_runtime_id);
    expect(await rowOf(tested)).toEqual(row);
  });

  it("with a proof changes its capabilities and its bill of materials", async () => {
    await using tested = await TestedAuthority.start(options);
    const key = AgentKey.generate();
    await prove(tested, key, "task");
    const text = JSON.stringify({ ...agentBody(key), ...taken });
    const row = await rowOf(tested);
    const answer = await registerAgent(tested, key, { signed: { body: text }, body: text });
    expect(answer.status).toBe(200);
    expect(await rowOf(tested)).toEqual({
      ...row,
      abom: JSON.stringify(taken.abom),
      capabilities: '["search"]',
    });
  });
});

describe("an authority that requires registration proofs", () => {
  it("refuses registrations without one, which another takes (G-A16)", async () => {
    await using tested = await TestedAuthority.start(REQUIRE);
    const key = AgentKey.generate();
    const token = await tested.token();
    expectRefusal(await tested.registerAgent(token, key), 401, "bad_signature");
    const { body } = await registerAgent(tested, key);
    expectRefusal(await tested.registerTask(body.agent_runtime_id, key), 401, "bad_signature");
    expect(await tested.authority.registry.listTasks()).toEqual([]);
    expect((await registerTask(tested, { id: body.agent_runtime_id, key })).status).toBe(200);
  });

  it("is not made with another policy than the two", async () => {
    await using tested = await TestedAuthority.start();
    const options = { store: tested.store, registrationProof: "off" as "accept" };
    await expectRejection(createAuthority(options), AgentAuthorityError, "config_invalid");
  });
});

describe("the URL that a proof covers", () => {
  const forwarded = { "x-forwarded-for": "192.0.2.1" };

  it("is the public one with the raw target, whatever Host says", async () => {
    const publicUrl = "https://authority.example/base";
    await using tested = await TestedAuthority.start({ publicUrl, ...REQUIRE });
    const key = AgentKey.generate();
    expectRefusal(await registerAgent(tested, key), 401, "bad_signature");
    const signed = { url: publicUrl + REGISTER };
    expect((await registerAgent(tested, key, { signed, sent: forwarded })).status).toBe(200);
    const encoded = { signed: { url: `${publicUrl}/v1/agent/%72egister` } };
    expectRefusal(await registerAgent(tested, key, encoded), 401, "bad_signature");
  });

  it.each(["https://authority.example", "https://authority.example/backend-api"])(
    "is right under Codex's prefix too, with the public URL %s",
    async (publicUrl) => {
      await using tested = await TestedAuthority.start({ publicUrl, ...REQUIRE });
      const signed = { url: `https://authority.example/backend-api${REGISTER}` };
      const path = `/backend-api${REGISTER}`;
      const answer = await registerAgent(tested, AgentKey.generate(), { signed, path });
      expect(answer.status).toBe(200);
    },
  );

  it("is what Host says on this machine's loopback, while there is no public one", async () => {
    await using tested = await TestedAuthority.start(REQUIRE);
    const { port } = new URL(tested.url);
    const signed = { url: `http://localhost:${port}${REGISTER}` };
    const sent = { host: `LOCALHOST:${port}` };
    expect((await registerAgent(tested, AgentKey.generate(), { signed, sent })).status).toBe(200);
    const elsewhere = await registerAgent(tested, AgentKey.generate(), { sent });
    expectRefusal(elsewhere, 401, "bad_signature");
  });

  it("is not known behind a proxy without a public one: the proof counts as absent", async () => {
    await using tested = await TestedAuthority.start();
    const proved = await registerAgent(tested, AgentKey.generate(), { sent: forwarded });
    expect(proved.status).toBe(200);
    const { registry } = tested.authority;
    expect((await registry.listAgents()).map(({ proven }) => proven)).toEqual([false]);
    await using strict = await TestedAuthority.start(REQUIRE);
    const refused = await registerAgent(strict, AgentKey.generate(), { sent: forwarded });
    expectRefusal(refused, 401, "bad_signature");
    expect(refused.body.detail).toContain("public URL");
  });
});
