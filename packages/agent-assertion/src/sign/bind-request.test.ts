import { createHash } from "node:crypto";
import type { AgentCredential, AgentKey } from "@countersign/agent-key";
import { contentDigest } from "@countersign/agent-key/message-signature";
import { describe, expect, test } from "vitest";
import { AGENT_ID, AUTHORITY, header, key, NOW, TASK_ID } from "../../test/fixtures.js";
import { type BindRequestInput, bindRequest, bindWithNonce } from "./bind-request.js";

const credential: AgentCredential<AgentKey> = {
  kind: "agent",
  authority: AUTHORITY,
  agentRuntimeId: AGENT_ID,
  taskId: TASK_ID,
  key,
};
const body = Buffer.from('{"hello": "world"}');
const INPUT: BindRequestInput = {
  credential,
  authorization: header,
  method: "POST",
  targetUri: "https://api.example/v1/x?y",
  body,
};
const NONCE = "AAECAwQFBgcICQoLDA0ODw";
const sha512 = `sha-512=:${createHash("sha512").update(body).digest("base64")}:`;

describe("bindRequest", () => {
  const refused: [string, Partial<BindRequestInput>][] = [
    ["a bearer", { authorization: "Bearer secret" }],
    ["another agent's assertion", { credential: { ...credential, agentRuntimeId: "agent-2" } }],
    ["another task's assertion", { credential: { ...credential, taskId: "task-2" } }],
    ["no method", { method: "" }],
    ["a method with a line break", { method: "GET\n" }],
    ["a path alone", { targetUri: "/v1/x" }],
    ["another scheme", { targetUri: "ws://api.example/" }],
    ["a target that is not escaped", { targetUri: "https://api.example/a b" }],
    ["a target beyond ASCII", { targetUri: "https://api.example/é" }],
    ["a wrong digest", { contentDigest: contentDigest(Buffer.from("other")) }],
    ["one wrong digest of two", { contentDigest: `${contentDigest(body)}, sha-512=:AA==:` }],
    ["a digest twice", { contentDigest: `${contentDigest(body)}, ${contentDigest(body)}` }],
    ["a digest of an unknown algorithm", { contentDigest: "md5=:AA==:" }],
    ["an empty digest", { contentDigest: "" }],
    ["a digest without a body", { body: undefined, contentDigest: contentDigest(body) }],
  ];
  test.each(refused)("refuses %s and signs nothing", (_, wrong) => {
    expect(() => bindRequest({ ...INPUT, ...wrong })).toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
  });

  test("covers method, target, authorization and body, created at the assertion's timestamp", () => {
    const fields = bindWithNonce(INPUT, NONCE);
    expect(fields.map(([name]) => name)).toEqual([
      "content-digest",
      "signature-input",
      "signature",
    ]);
    const { "content-digest": digest, "signature-input": signatureInput = "" } =
      Object.fromEntries(fields);
    expect(digest).toBe(contentDigest(body));
    expect(signatureInput).toBe(
      'agent-assertion=("@method" "@target-uri" "authorization" "content-digest")' +
        `;created=${NOW / 1000};keyid="${AGENT_ID}"` +
        ';nonce="AAECAwQFBgcICQoLDA0ODw";tag="agent-assertion"',
    );
    const signed = [
      '"@method": POST',
      '"@target-uri": https://api.example/v1/x?y',
      `"authorization": ${header}`,
      `"content-digest": ${digest}`,
      `"@signature-params": ${signatureInput.slice("agent-assertion=".length)}`,
    ].join("\n");
    expect(fields.at(-1)).toEqual(["signature", `agent-assertion=:${key.signText(signed)}:`]);
  });

  test.each([undefined, new Uint8Array()])("covers no digest for the body %o", (none) => {
    const fields = bindRequest({ ...INPUT, body: none });
    expect(fields.map(([name]) => name)).toEqual(["signature-input", "signature"]);
    expect(fields[0]?.[1]).toContain('=("@method" "@target-uri" "authorization");');
  });

  test.each([
    ["https://API.example:443/a/../b?q=%20#part", "https://api.example/a/../b?q=%20"],
    ["https://api.example?x", "https://api.example/?x"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"],
  ])("signs %s as it is sent", (targetUri, signedAs) => {
    expect(bindWithNonce({ ...INPUT, targetUri }, NONCE)).toEqual(
      bindWithNonce({ ...INPUT, targetUri: signedAs }, NONCE),
    );
  });

  test.each([sha512, `${sha512}, ${contentDigest(body)}`])(
    "keeps the caller's own digest %s",
    (own) => {
      const fields = bindRequest({ ...INPUT, contentDigest: own });
      expect(fields[0]).toEqual(["content-digest", own]);
    },
  );

  test("refuses a nonce that cannot be written, and signs nothing", () => {
    expect(() => bindWithNonce(INPUT, "a\nb")).toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
  });

  test("signs with a fresh nonce each time", () => {
    const made = Array.from({ length: 10 }, () => bindRequest(INPUT)[1]);
    expect(new Set(made.map((field) => field?.[1])).size).toBe(10);
  });
});
