import { readFileSync } from "node:fs";
import { join } from "node:path";
import { statusOf } from "@countersign/agent-key/problem";
import { describe, expect, it } from "vitest";
import { TestedAuthority } from "./start-authority.js";

const VECTORS = join(import.meta.dirname, "../../conformance/vectors");
const REGISTER = "/v1/agent/register";

interface ProofVector {
  readonly name: string;
  readonly agent_runtime_id?: string;
  readonly public_url?: string;
  readonly now_ms?: number;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body_base64: string;
  readonly expected: string;
}

interface BodyVector {
  readonly name: string;
  readonly body: unknown;
  readonly body_text?: string;
  readonly code?: string;
}

function read(name: string) {
  return JSON.parse(readFileSync(join(VECTORS, name), "utf8"));
}

const proofs = read("registration-proof.json");
const bodies = read("registration-requests.json");

async function start(publicUrl: string = proofs.public_url): Promise<TestedAuthority> {
  const tested = await TestedAuthority.start({ publicUrl });
  tested.clock.nowMs = Date.parse(proofs.now);
  return tested;
}

describe("the vectors of registration proofs", () => {
  const ofAgents: readonly ProofVector[] = proofs.check.filter(
    ({ agent_runtime_id }: ProofVector) => agent_runtime_id === undefined,
  );

  it.each(ofAgents)("hold at the server: $name is $expected", async (vector) => {
    await using tested = await start(vector.public_url);
    tested.clock.nowMs = vector.now_ms ?? tested.clock.nowMs;
    // The vectors name another Host, which a client does not choose freely here.
    const fields = vector.fields.filter(([name]) => name !== "Host");
    const answer = await tested.call("POST", vector.target, {
      headers: { ...Object.fromEntries(fields), authorization: `Bearer ${await tested.token()}` },
      body: Buffer.from(vector.body_base64, "base64"),
    });
    const rows = await tested.store.rows.selectFrom("agents").select("proven_at").execute();
    const isProven = rows.some(({ proven_at }) => proven_at !== null);
    const registered = isProven ? "proven" : "unproven";
    expect(answer.status === 200 ? registered : answer.body.code).toBe(vector.expected);
  });
});

describe("the vectors of agent registrations", () => {
  it.each(bodies.agents as readonly BodyVector[])("hold at the server: $name", async (vector) => {
    await using tested = await start();
    const answer = await tested.call("POST", REGISTER, {
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${await tested.token()}`,
      },
      body: vector.body_text ?? JSON.stringify(vector.body),
    });
    expect(answer.body.code).toBe(vector.code);
    expect(answer.status).toBe(vector.code === undefined ? 200 : statusOf(vector.code as never));
  });
});
