import { signatureParameters } from "@countersign/agent-key/message-signature";
import { describe, expect, test } from "vitest";
import { expectFailure } from "../../test/expect-rejection.js";
import {
  type CheckMessageSignatureInput,
  checkMessageSignature,
} from "./check-message-signature.js";

/** A request whose signature names these components. */
function signedRequest(
  names: readonly string[],
  change: Partial<CheckMessageSignatureInput> = {},
): CheckMessageSignatureInput {
  const parameters = signatureParameters(names, {
    created: 1,
    keyid: "key",
    tag: "agent-assertion",
    nonce: "AAECAwQFBgcICQoLDA0ODw",
  });
  const signature = Buffer.alloc(64).toString("base64");
  return {
    rawHeaders: ["Signature-Input", `sig=${parameters}`, "Signature", `sig=:${signature}:`],
    tag: "agent-assertion",
    components: [["@method", "POST"]],
    optionalComponents: [["content-digest", "x"]],
    created: 1,
    keyid: "key",
    holds: () => true,
    ...change,
  };
}

describe("a message signature is refused that", () => {
  test.each<[string, CheckMessageSignatureInput]>([
    ["covers other components than it must", signedRequest([])],
    ["covers other components than it must", signedRequest(["content-digest"])],
    ["covers other components than it must", signedRequest(["@method", "x-other"])],
    ["was created at another time", signedRequest(["@method"], { created: 2 })],
    ["was created at another time", signedRequest(["@method"], { created: () => false })],
    ["names another key", signedRequest(["@method"], { keyid: "other" })],
    ["does not hold", signedRequest(["@method"], { holds: () => false })],
    [
      "a component has a value that cannot be signed",
      signedRequest(["@method"], { components: [["@method", "POST\n"]] }),
    ],
  ])("%s", async (says, input) => {
    const error = await expectFailure(() => checkMessageSignature(input), "bad_signature");
    expect(error.message).toMatch(/^the message signature: /);
    expect(error.message).toContain(says);
  });
});

test("a message signature is taken with the optional components and without, and one of another tag is not looked at", () => {
  for (const names of [["@method"], ["content-digest", "@method"]]) {
    expect(checkMessageSignature(signedRequest(names))).toMatchObject({ components: names });
  }
  expect(checkMessageSignature(signedRequest([], { tag: "agent-registration" }))).toBeUndefined();
});
