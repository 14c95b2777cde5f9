import { createTestIdentityIssuer } from "@countersign/testing";
import { expect, test } from "vitest";
import { AgentIdentityError } from "../agent-identity-error.js";
import { pinnedKeySet } from "./pinned-key-set.js";

const [key] = createTestIdentityIssuer().keySet.keys;

test("refuses what is no JWK set, and one without a usable key", () => {
  const sets = [
    undefined,
    null,
    "{}",
    {},
    { keys: {} },
    { keys: [] },
    { keys: [{ kty: "EC", kid: "key-1", crv: "P-256" }, { kty: "oct", k: "AAAA" }, 7] },
    { keys: [{ ...key, kid: undefined }] },
    { keys: [{ ...key, d: "AAAA" }] },
  ];
  for (const keySet of sets) {
    expect(() => pinnedKeySet(keySet)).toThrow(
      expect.objectContaining({ name: AgentIdentityError.brandName, code: "config_invalid" }),
    );
  }
});

test("gives the keys of an id, whatever stands beside them", async () => {
  const keySet = pinnedKeySet({ keys: [7, { kty: "oct" }, key], more: true });
  expect(keySet.peek("key-1")).toEqual([key]);
  expect(await keySet.find("key-1")).toEqual([key]);
  expect(await keySet.find("key-2")).toEqual([]);
});
