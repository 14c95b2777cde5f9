import { AgentKey } from "@countersign/agent-key";
import { contentDigest } from "@countersign/agent-key/message-signature";
import { pkcs8OfSeed } from "@countersign/testing";
import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BODY,
  boundRequest,
  handSigned,
  NONCE,
  PUBLIC_URL,
  type ReceivedRequest,
  requestWith,
  signedWith,
} from "../../test/bound-request.js";
import { expectFailure, expectRejection } from "../../test/expect-rejection.js";
import {
  AGENT_ID,
  AUTHORITY,
  agent,
  header,
  key,
  NOW,
  otherKey,
  task,
} from "../../test/fixtures.js";
import type { BindingOptions } from "../binding/binding-policy.js";
import { memoryReplayStore, type NonceEntry, type ReplayStore } from "../binding/replay-store.js";
import type { AgentRecord, TaskRecord } from "../directory/agent-directory.js";
import { signAssertion } from "../sign/sign-assertion.js";
import { createVerifier } from "./create-verifier.js";
import type { AssertionPolicy } from "./verified-assertion.js";

interface SceneOptions {
  readonly binding?: Partial<BindingOptions> | undefined;
  readonly policy?: AssertionPolicy | undefined;
  readonly agent?: Partial<AgentRecord> | undefined;
  readonly task?: Partial<TaskRecord> | undefined;
}

// A verifier whose replay store records what was spent.
function setUp(options: SceneOptions = {}) {
  const clock = { now: NOW };
  const spent: NonceEntry[] = [];
  const kept = memoryReplayStore({ now: () => clock.now });
  const replayStore: ReplayStore = {
    spend(entry) {
      spent.push(entry);
      return kept.spend(entry);
    },
  };
  const verifier = createVerifier({
    directory: {
      authority: AUTHORITY,
      agent: async () => ({ ...agent, ...options.agent }),
      task: async () => ({ ...task, ...options.task }),
    },
    now: () => clock.now,
    policy: options.policy,
    binding: { policy: "require", publicUrl: PUBLIC_URL, replayStore, ...options.binding },
  });
  const verify = (request?: ReceivedRequest) =>
    verifier.verify(request?.get("authorization") || header, { request });
  return { clock, spent, verifier, verify };
}

const unbound = () => boundRequest().set("signature", undefined).set("signature-input", undefined);

describe("a verifier that looks at bindings", () => {
  test.each(["publicUrl", "replayStore"])("does not start without %s (G-B7)", (name) => {
    for (const policy of ["accept", "require"] as const) {
      expect(() => setUp({ binding: { policy, [name]: undefined } })).toThrow(
        expect.objectContaining({ code: "config_invalid" }),
      );
    }
  });

  test("says whether it needs the request", () => {
    expect(setUp().verifier.binding).toEqual({ policy: "require", maxBodyBytes: 16 * 1024 * 1024 });
    expect(setUp({ binding: { policy: "accept", maxBodyBytes: 5 } }).verifier.binding).toEqual({
      policy: "accept",
      maxBodyBytes: 5,
    });
    expect(setUp({ binding: { policy: "off" } }).verifier.binding).toBeUndefined();
  });

  test("accepts a bound request with a body, and names what was covered", async () => {
    const { verify, spent } = setUp();
    const request = boundRequest();
    const verified = await verify(request);
    expect(verified.covered).toEqual(["@method", "@target-uri", "authorization", "content-digest"]);
    expect(request.reads).toBe(1);
    expect(spent).toEqual([
      { authority: AUTHORITY, agentRuntimeId: AGENT_ID, nonce: NONCE, expiresAt: NOW + 300_000 },
    ]);
  });

  test("accepts a bound request without a body, and reads none", async () => {
    const { verify } = setUp();
    const request = boundRequest({ body: undefined });
    expect((await verify(request)).covered).toEqual(["@method", "@target-uri", "authorization"]);
    expect(request.reads).toBe(0);
  });

  test("takes the components in any order and alg ed25519", async () => {
    const components = '("authorization" "@target-uri" "@method")';
    const parameters = `${components};alg="ed25519";tag="agent-assertion";keyid="${AGENT_ID}";nonce="${NONCE}";created=${NOW / 1000}`;
    const request = handSigned(parameters, [
      `"authorization": ${header}`,
      `"@target-uri": ${PUBLIC_URL}/v1/x?y`,
      '"@method": POST',
    ]);
    expect((await setUp().verify(request)).covered).toEqual([
      "authorization",
      "@target-uri",
      "@method",
    ]);
  });

  test("never reads what Host says (G-B1)", async () => {
    const { verify } = setUp();
    const request = boundRequest().set("host", "evil.example").set("x-forwarded-host", "e.example");
    expect((await verify(request)).covered).toContain("@target-uri");
  });
});

describe("a request whose binding is missing", () => {
  test.each([
    ["without a signature", unbound],
    [
      "with the signature of another tag alone",
      () => requestWith(signedWith({ tag: "agent-registration" })),
    ],
    ["that the server did not hand on", () => undefined],
  ])("%s is refused under require (G-B5)", async (_, make) => {
    const { verify, spent } = setUp();
    const request = make();
    const error = await expectRejection(() => verify(request), "binding_required");
    expect(error.proven?.agentRuntimeId).toBe(AGENT_ID);
    expect(request?.reads ?? 0).toBe(0);
    expect(spent).toEqual([]);
  });

  test("passes under accept, covering nothing and spending nothing", async () => {
    const { verify, spent } = setUp({ binding: { policy: "accept" } });
    const request = unbound();
    expect((await verify(request)).covered).toEqual([]);
    expect((await verify(request)).covered).toEqual([]);
    expect(request.reads).toBe(0);
    expect(spent).toEqual([]);
  });

  test("is refused under accept for an agent with the granted capability binding (G-B5)", async () => {
    const { verify } = setUp({
      binding: { policy: "accept" },
      agent: { capabilities: ["responses", "binding"] },
    });
    await expectRejection(() => verify(unbound()), "binding_required");
    await expectRejection(() => verify(), "binding_required");
    expect((await verify(boundRequest())).covered).toHaveLength(4);
  });

  test("passes under off, where a wrong binding is not looked at either", async () => {
    const { verify, spent } = setUp({ binding: { policy: "off" } });
    expect((await verify(unbound())).covered).toEqual([]);
    const wrong = boundRequest();
    wrong.method = "PUT";
    expect((await verify(wrong)).covered).toEqual([]);
    expect(wrong.reads).toBe(0);
    expect(spent).toEqual([]);
  });
});

// Each breaks one thing of a request that would be accepted.
const mismatches: [string, () => ReceivedRequest][] = [
  ["another method", () => Object.assign(boundRequest(), { method: "PUT" })],
  ["the method in lower case", () => Object.assign(boundRequest(), { method: "post" })],
  ["another path", () => Object.assign(boundRequest(), { target: "/v1/z?y" })],
  ["another query", () => Object.assign(boundRequest(), { target: "/v1/x?z" })],
  ["a path in another spelling", () => Object.assign(boundRequest(), { target: "/v1/%78?y" })],
  [
    "the target in absolute form",
    () => Object.assign(boundRequest(), { target: `${PUBLIC_URL}/v1/x?y` }),
  ],
  [
    "a target that continues the public URL without a slash",
    () => {
      const request = boundRequest({ targetUri: `${PUBLIC_URL}.evil/v1` });
      return Object.assign(request, { target: ".evil/v1" });
    },
  ],
  [
    "the target of another server",
    () => boundRequest({ targetUri: "https://other.example/v1/x?y" }),
  ],
  [
    "the target without the public path",
    () => boundRequest({ targetUri: "https://api.example/v1/x?y" }),
  ],
  ["http instead of https", () => boundRequest({ targetUri: "http://api.example/base/v1/x?y" })],
  ["another body", () => Object.assign(boundRequest(), { bytes: Buffer.from("{}") })],
  ["an empty body", () => Object.assign(boundRequest(), { bytes: new Uint8Array() })],
  ["a body that was dropped", () => Object.assign(boundRequest(), { bytes: undefined })],
  [
    "a body that was added",
    () => Object.assign(boundRequest({ body: undefined }), { bytes: BODY }),
  ],
  [
    "a body that was added with its digest",
    () =>
      Object.assign(boundRequest({ body: undefined }), { bytes: BODY }).set(
        "content-digest",
        contentDigest(BODY),
      ),
  ],
  [
    "the digest of another body",
    () => boundRequest().set("content-digest", contentDigest(Buffer.from("{}"))),
  ],
  [
    "a digest and body of the thief's",
    () =>
      Object.assign(boundRequest(), { bytes: Buffer.from("{}") }).set(
        "content-digest",
        contentDigest(Buffer.from("{}")),
      ),
  ],
  ["no digest", () => boundRequest().set("content-digest", undefined)],
  [
    "a second digest",
    () => {
      const request = boundRequest();
      request.fields.push(["content-digest", request.get("content-digest")]);
      return request;
    },
  ],
  ["a signature that is another key's", () => requestWith(signedWith({ key: otherKey }))],
  [
    "a signature of 63 bytes",
    () => {
      const request = boundRequest();
      const bytes = Buffer.from(request.get("signature").slice(17, -1), "base64").subarray(1);
      return request.set("signature", `agent-assertion=:${bytes.toString("base64")}:`);
    },
  ],
  ["no signature under the label", () => boundRequest().set("signature", "sig1=:AAAA:")],
  ["a signature input that does not parse", () => boundRequest().set("signature-input", "x=(")],
  [
    "two labels with the tag",
    () => {
      const request = boundRequest();
      request.fields.push([
        "signature-input",
        request.get("signature-input").replace("agent-", "b-"),
      ]);
      return request;
    },
  ],
  [
    "created before the assertion's timestamp",
    () => requestWith(signedWith({ created: NOW / 1000 - 1 })),
  ],
  [
    "created after the assertion's timestamp",
    () => requestWith(signedWith({ created: NOW / 1000 + 1 })),
  ],
  ["a short nonce", () => requestWith(signedWith({ nonce: NONCE.slice(1) }))],
  ["another keyid", () => requestWith(signedWith({ keyid: "agent-2" }))],
  [
    "no authorization covered",
    () =>
      requestWith(
        signedWith({
          components: [
            ["@method", "POST"],
            ["@target-uri", `${PUBLIC_URL}/v1/x?y`],
          ],
        }),
      ),
  ],
  [
    "a field covered beyond those of the protocol",
    () =>
      requestWith(
        signedWith({
          components: [
            ["@method", "POST"],
            ["@target-uri", `${PUBLIC_URL}/v1/x?y`],
            ["authorization", header],
            ["date", "x"],
          ],
        }),
      ).set("date", "x"),
  ],
  [
    "a field named as covered that was left out of what was signed",
    () =>
      handSigned(
        '("@method" "@target-uri" "authorization" "date")' +
          `;created=${NOW / 1000};keyid="${AGENT_ID}";nonce="${NONCE}";tag="agent-assertion"`,
        ['"@method": POST', `"@target-uri": ${PUBLIC_URL}/v1/x?y`, `"authorization": ${header}`],
      ),
  ],
  [
    "a digest covered of no body",
    () => Object.assign(boundRequest({ body: new Uint8Array([1]) }), { bytes: undefined }),
  ],
];

describe.each(["accept", "require"] as const)("under %s, a request bound to", (policy) => {
  test.each(mismatches)("%s is refused, and its nonce is not spent", async (_, make) => {
    const { verify, spent } = setUp({ binding: { policy } });
    const error = await expectRejection(() => verify(make()), "binding_mismatch");
    expect(error.proven?.agentRuntimeId).toBe(AGENT_ID);
    expect(spent).toEqual([]);
  });
});

describe("a binding", () => {
  test("of another assertion of the same second is refused", async () => {
    const { verifier } = setUp();
    const other = signAssertion({
      agentRuntimeId: AGENT_ID,
      taskId: "task-2",
      key,
      timestamp: "2026-04-15T17:08:09Z",
    });
    const request = boundRequest().set("authorization", other);
    await expectRejection(() => verifier.verify(header, { request }), "binding_mismatch");
  });

  test("whose assertion the server took from elsewhere is refused", async () => {
    const { verifier } = setUp();
    const spaced = header.replace(" ", "  ");
    const request = boundRequest();
    await expectRejection(() => verifier.verify(spaced, { request }), "binding_mismatch");
  });

  test("by the other of an agent's two keys is refused, by the same one accepted (G-B1)", async () => {
    const publicKeys = [otherKey.publicKey, key.publicKey];
    const { verify } = setUp({ agent: { publicKeys } });
    await expectRejection(
      () => verify(requestWith(signedWith({ key: otherKey }))),
      "binding_mismatch",
    );
    expect((await verify(requestWith(signedWith({})))).covered).toHaveLength(3);
  });

  test("whose signature does not hold costs no reading of its body (G-B4)", async () => {
    const request = Object.assign(boundRequest(), { method: "PUT" });
    await expectRejection(() => setUp().verify(request), "binding_mismatch");
    expect(request.reads).toBe(0);
  });

  test("is looked at after everything that may refuse the assertion itself", async () => {
    const wrong = () => Object.assign(boundRequest(), { method: "PUT" });
    const cases: [SceneOptions, string][] = [
      [{ agent: { agentRuntimeId: "agent-2" } }, "unknown_agent"],
      [{ agent: { publicKeys: [otherKey.publicKey] } }, "bad_signature"],
      [{ agent: { state: "revoked" } }, "agent_revoked"],
      [{ task: { state: "revoked" } }, "task_revoked"],
      [{ policy: { accounts: [] } }, "forbidden"],
      [{ policy: { capability: "other" } }, "forbidden"],
    ];
    for (const [options, code] of cases) {
      const { verify, spent } = setUp(options);
      await expectRejection(() => verify(wrong()), code);
      await expectRejection(() => verify(boundRequest()), code);
      await expectRejection(() => verify(unbound()), code);
      expect(spent).toEqual([]);
    }
  });
});

describe("replay", () => {
  test("refuses the second of two equal requests", async () => {
    const { verify } = setUp();
    await verify(boundRequest());
    const error = await expectRejection(() => verify(boundRequest()), "replayed");
    expect(error.proven?.agentRuntimeId).toBe(AGENT_ID);
  });

  test("accepts exactly one of many that come at once (G-B2)", async () => {
    const { verify } = setUp();
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => verify(boundRequest())),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const reasons = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason.code] : [],
    );
    expect(new Set(reasons)).toEqual(new Set(["replayed"]));
  });

  test("refuses a nonce that the agent used for another request", async () => {
    const { verify } = setUp();
    await verify(boundRequest());
    const other = Object.assign(boundRequest({ method: "PUT" }), { method: "PUT" });
    await expectRejection(() => verify(other), "replayed");
  });

  test("spends nothing for a mismatch, so that the right request still passes (G-B4)", async () => {
    const { verify } = setUp();
    for (const [, make] of mismatches) {
      await expectRejection(() => verify(make()), "binding_mismatch");
    }
    expect((await verify(boundRequest())).covered).toHaveLength(4);
  });

  test("refuses up to the last instant of the assertion's life (G-B2)", async () => {
    const { verify, clock } = setUp();
    await verify(boundRequest());
    clock.now = NOW + 300_000;
    await expectRejection(() => verify(boundRequest()), "replayed");
    clock.now += 1;
    await expectRejection(() => verify(boundRequest()), "expired");
  });

  test("refuses a body that came so slowly that its nonce may be forgotten (G-B2)", async () => {
    const { verify, clock, spent } = setUp();
    await verify(boundRequest());
    const slow = boundRequest();
    Object.assign(slow, {
      async body() {
        clock.now = NOW + 300_001;
        return BODY;
      },
    });
    await expectRejection(() => verify(slow), "expired");
    expect(spent).toHaveLength(1);
  });

  test.each(["is full", "cannot be reached"])(
    "refuses when the store %s (G-B3)",
    async (reason) => {
      const cause = new Error(`the store ${reason}`);
      const replayStore: ReplayStore = { spend: () => Promise.reject(cause) };
      const { verify } = setUp({ binding: { replayStore } });
      const error = await expectFailure(() => verify(boundRequest()), "server_error");
      expect(error).toMatchObject({ retryable: true, cause });
    },
  );

  test("refuses when the store throws, or answers anything but true", async () => {
    const throwing: ReplayStore = {
      spend() {
        throw new Error("no store");
      },
    };
    await expectFailure(
      () => setUp({ binding: { replayStore: throwing } }).verify(boundRequest()),
      "server_error",
    );
    const vague = { spend: async () => undefined } as unknown as ReplayStore;
    await expectRejection(
      () => setUp({ binding: { replayStore: vague } }).verify(boundRequest()),
      "replayed",
    );
  });
});

describe("the body of a bound request", () => {
  test("is refused over the limit, which is no mismatch", async () => {
    const { verify, spent } = setUp({ binding: { maxBodyBytes: BODY.length - 1 } });
    await expectFailure(() => verify(boundRequest()), "invalid_request");
    expect(spent).toEqual([]);
  });

  test("is accepted at the limit, which its reader is told", async () => {
    const { verify } = setUp({ binding: { maxBodyBytes: BODY.length } });
    const asked: number[] = [];
    const request = boundRequest();
    Object.assign(request, {
      async body(maxBytes: number) {
        asked.push(maxBytes);
        return BODY;
      },
    });
    expect((await verify(request)).covered).toHaveLength(4);
    expect(asked).toEqual([BODY.length]);
  });

  test("that breaks off ends the check with the reader's own error", async () => {
    const { verify, spent } = setUp();
    const broken = new Error("the client is gone");
    const request = Object.assign(boundRequest(), { body: () => Promise.reject(broken) });
    await expect(verify(request)).rejects.toBe(broken);
    expect(spent).toEqual([]);
  });
});

test("recheck looks at no binding", async () => {
  const { verifier, verify, spent } = setUp();
  const verified = await verify(boundRequest());
  await expect(verifier.recheck(verified)).resolves.toBeUndefined();
  expect(spent).toHaveLength(1);
});

describe("any bound request", () => {
  const requests = fc.record({
    seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    method: fc.constantFrom("GET", "POST", "DELETE", "M-SEARCH"),
    target: fc
      .array(fc.constantFrom("/", "a", "?", "&", "=", "%20", ";", "..", "~"), { maxLength: 12 })
      .map((parts) => `/${parts.join("")}`),
    body: fc.option(fc.uint8Array({ minLength: 1, maxLength: 64 }), { nil: undefined }),
  });
  // Where one thing is changed, and by which other character or bit.
  const flips = fc.record({
    part: fc.constantFrom(
      ...(["method", "target", "authorization", "body", "digest"] as const),
      ...(["created", "nonce", "keyid", "tag", "signature", "components"] as const),
    ),
    at: fc.nat(),
  });

  function flipped(request: ReceivedRequest, part: string, at: number): ReceivedRequest {
    const swap = (text: string, from = 0, to = text.length) => {
      const i = from + (at % (to - from));
      const other = text[i] === "A" ? "B" : "A";
      return text.slice(0, i) + other + text.slice(i + 1);
    };
    const input = request.get("signature-input");
    const within = (start: RegExp, length: number) => {
      const found = start.exec(input);
      const from = (found?.index ?? 0) + (found?.[0].length ?? 0);
      return request.set("signature-input", swap(input, from, from + length));
    };
    switch (part) {
      case "method":
        return Object.assign(request, { method: swap(request.method) });
      case "target":
        return Object.assign(request, { target: swap(`${request.target} `).trimEnd() });
      case "authorization":
        return request.set("authorization", request.get("authorization").replace(" ", "  "));
      case "body": {
        const bytes = Uint8Array.from(request.bytes ?? [1]);
        if (request.bytes !== undefined) {
          const i = at % bytes.length;
          bytes[i] = (bytes[i] ?? 0) ^ (1 << (at & 7));
        }
        return Object.assign(request, { bytes });
      }
      case "digest":
        return request.set("content-digest", swap(request.get("content-digest") || " "));
      case "created":
        return request.set(
          "signature-input",
          input.replace(/created=\d+/, `created=${NOW / 1000 + ((at % 600) - 300 || 1)}`),
        );
      case "nonce":
        return within(/nonce="/, 22);
      case "keyid":
        return within(/keyid="/, AGENT_ID.length);
      case "tag":
        return request.set("signature-input", input.replace("tag=", `x=${at};tag=`));
      case "components":
        return within(/=\("/, '@method" "@target-uri" "authorization'.length);
      default:
        return request.set("signature", swap(request.get("signature"), 17, 17 + 86));
    }
  }

  test("passes untouched, and is refused when one covered thing is changed (G-B1)", async () => {
    await fc.assert(
      fc.asyncProperty(requests, flips, async ({ seed, method, target, body }, { part, at }) => {
        const own = AgentKey.importPkcs8(pkcs8OfSeed(seed));
        const authorization = signAssertion({
          agentRuntimeId: AGENT_ID,
          taskId: task.taskId,
          key: own,
          timestamp: "2026-04-15T17:08:09Z",
        });
        const make = () =>
          Object.assign(
            boundRequest({
              credential: {
                kind: "agent",
                authority: AUTHORITY,
                agentRuntimeId: AGENT_ID,
                taskId: task.taskId,
                key: own,
              },
              authorization,
              method,
              targetUri: PUBLIC_URL + target,
              body,
            }),
            { method, target },
          );
        const { verify } = setUp({ agent: { publicKeys: [own.publicKey] } });
        const changed = flipped(make(), part, at);
        const whole = make();
        // A digest added to a request without a body is covered by nothing and means nothing.
        const isUncovered = part === "digest" && body === undefined;
        fc.pre(!isUncovered);
        await expectRejection(() => verify(changed), "binding_mismatch");
        expect((await verify(whole)).covered).toHaveLength(body === undefined ? 3 : 4);
      }),
      { numRuns: propertyRuns(500) },
    );
  });
});
