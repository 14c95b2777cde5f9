import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NONCE, requestWith, signedWith } from "../../test/bound-request.js";
import { expectFailure, failureOf } from "../../test/expect-rejection.js";
import { AGENT_ID, NOW } from "../../test/fixtures.js";
import { parseMessageSignature } from "./parse-message-signature.js";

const good = signedWith({});
const parse = (signatureInput: string, signature = good.signature) =>
  parseMessageSignature(requestWith({ signatureInput, signature }).rawHeaders, "agent-assertion");

// The input of the good signature with one text in it replaced.
function changed(from: string, to: string): string {
  expect(good.signatureInput).toContain(from);
  return good.signatureInput.replace(from, to);
}

// The last character before the padding holds two bits of the signature and four of none, which are zero in the canonical form.
function otherBits(end: string): string {
  return `${{ A: "B", Q: "R", g: "h", w: "x" }[end.charAt(0)]}==:`;
}

describe("parseMessageSignature", () => {
  const list = '("@method" "@target-uri" "authorization")';
  const nonce = `nonce="${NONCE}"`;
  const wrong: [string, () => string][] = [
    ["two labels with the tag", () => `${good.signatureInput}, b=();tag="agent-assertion"`],
    ["the label twice", () => `${good.signatureInput}, ${good.signatureInput}`],
    ["a foreign label twice", () => `${good.signatureInput}, b=();tag="x", b=();tag="x"`],
    ["a foreign label that does not parse", () => `${good.signatureInput}, b=(`],
    ["a label without a signature", () => changed("agent-assertion=", "other=")],
    ["an item instead of a list", () => changed(list, '"@method"')],
    ["two spaces", () => changed('" "@t', '"  "@t')],
    ["a space before the first component", () => changed('("@m', '( "@m')],
    ["a space after a semicolon", () => changed(";nonce", "; nonce")],
    ["a parameter that is repeated as it is", () => changed(`;${nonce}`, `;${nonce};${nonce}`)],
    ["a component that is no text", () => changed('"@method"', "method")],
    ["a component with a parameter", () => changed('"@method"', '"@method";req')],
    ["a component twice", () => changed('"@method"', '"@method" "@method"')],
    ["no created", () => changed(`;created=${NOW / 1000}`, "")],
    ["created as text", () => changed(`created=${NOW / 1000}`, `created="${NOW / 1000}"`)],
    ["created with a leading zero", () => changed("created=", "created=0")],
    ["created as decimal", () => changed(`created=${NOW / 1000}`, `created=${NOW / 1000}.5`)],
    ["created twice", () => changed("created=", "created=1;created=")],
    ["no nonce", () => changed(`;${nonce}`, "")],
    ["a nonce of 15 bytes", () => changed(nonce, `nonce="${NONCE.slice(0, 20)}"`)],
    ["a nonce of 21 characters", () => changed(nonce, `nonce="${NONCE.slice(1)}"`)],
    ["a nonce of 257 characters", () => changed(nonce, `nonce="${"n".repeat(257)}"`)],
    ["a nonce with spaces", () => changed(nonce, `nonce="${" ".repeat(22)}"`)],
    ["a nonce of bytes", () => changed(nonce, "nonce=:AAECAwQFBgcICQoLDA0ODw==:")],
    ["no keyid", () => changed(`;keyid="${AGENT_ID}"`, "")],
    ["a keyid that is a token", () => changed(`"${AGENT_ID}"`, AGENT_ID)],
    ["another alg", () => changed(";nonce", ';alg="hmac-sha256";nonce')],
    ["alg as token", () => changed(";nonce", ";alg=ed25519;nonce")],
    ["expires", () => changed(";nonce", `;expires=${NOW / 1000 + 60};nonce`)],
    ["an unknown parameter", () => changed(";nonce", ";context;nonce")],
  ];
  test.each(wrong)("refuses %s (G-B6)", async (_, input) => {
    await expectFailure(() => parse(input()), "bad_signature");
  });

  test.each([
    ["of another label", (s: string) => s.replace("agent-assertion=", "other=")],
    ["twice", (s: string) => `${s}, ${s}`],
    ["as text", (s: string) => s.replaceAll(":", '"')],
    ["with a parameter", (s: string) => `${s};a`],
    ["in a list", (s: string) => s.replace("=:", "=(:").replace(/$/, ")")],
    ["with bits behind its last byte", (s: string) => s.replace(/.==:$/, (end) => otherBits(end))],
    ["without padding", (s: string) => s.replace("==:", ":")],
    ["that is no dictionary", () => ":AA==:"],
  ])("refuses a signature %s", async (_, change) => {
    await expectFailure(() => parse(good.signatureInput, change(good.signature)), "bad_signature");
  });

  test.each([
    ["no field at all", []],
    ["a signature alone", ["signature", good.signature]],
    ["a label of another tag", ["signature-input", 'sig1=("@method");tag="agent-registration"']],
    ["a label without a tag", ["signature-input", 'sig1=("date" "@method");created=1;keyid="k"']],
    ["a tag that is no text", ["signature-input", "sig1=();tag=agent-assertion"]],
  ])("finds nothing in %s", (_, rawHeaders) => {
    expect(parseMessageSignature(rawHeaders, "agent-assertion")).toBeUndefined();
  });

  test("takes a signature apart, beside those of others and on lines of its own", () => {
    const rawHeaders = [
      "Signature-Input",
      'sig1=("@authority" "content-type";sf);expires=1;nonce="a, b";keyid="k"',
      "Signature",
      "sig1=:AAAA:",
      "SIGNATURE-INPUT",
      good.signatureInput,
      "signature",
      good.signature,
    ];
    expect(parseMessageSignature(rawHeaders, "agent-assertion")).toEqual({
      components: ["@method", "@target-uri", "authorization"],
      parameters: good.signatureInput.slice("agent-assertion=".length),
      created: NOW / 1000,
      nonce: NONCE,
      keyid: AGENT_ID,
      signature: new Uint8Array(
        Buffer.from(good.signature.slice("agent-assertion=:".length, -1), "base64"),
      ),
    });
  });

  test.each([
    ["alg ed25519", () => changed(";nonce", ';alg="ed25519";nonce'), NONCE],
    ["a nonce of 256 characters", () => changed(NONCE, "n".repeat(256)), "n".repeat(256)],
    ["a nonce in hexadecimal", () => changed(NONCE, "0".repeat(32)), "0".repeat(32)],
  ])("takes %s", (_, input, nonce) => {
    expect(parse(input())?.nonce).toBe(nonce);
  });

  test("returns or rejects with its code, and never fails otherwise, on any field", async () => {
    const piece = fc.constantFrom(
      ...[good.signatureInput, list, nonce, ', b=("x")', ";", '"', "\\", "=", "(", ")", ":", "é"],
      ...[",", " ", 'tag="agent-assertion"', "agent-assertion=", "created=1", "?1", "@1", '%"'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        let found: unknown;
        const error = await failureOf(() => {
          found = parse(pieces.join(""));
          throw undefined;
        });
        if (error === undefined) expect([undefined, expect.any(Object)]).toContainEqual(found);
        else expect(error).toMatchObject({ name: "AgentAssertionError", code: "bad_signature" });
      }),
      { numRuns: propertyRuns(2000) },
    );
  });
});
