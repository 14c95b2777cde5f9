import { expect, onTestFinished, test } from "vitest";
import { AuthorityClient } from "../client/authority-client.js";
import { assertNode } from "./node-floor.js";

const refusal = expect.objectContaining({
  code: "config_invalid",
  message: expect.stringContaining("needs Node 22.19 or newer"),
});

test.each(["18.20.8", "20.20.2", "22.18.0", "v22"])(
  "refuses Node %s and names the one it needs",
  (version) => {
    expect(() => assertNode(version)).toThrow(refusal);
  },
);

test.each(["22.19.0", "22.20.1", "24.0.0", "26.10.0"])("takes Node %s", (version) => {
  expect(() => assertNode(version)).not.toThrow();
});

test("an authority's client is not made under an older Node", () => {
  const { versions } = process;
  onTestFinished(() => void Object.defineProperty(process, "versions", { value: versions }));
  Object.defineProperty(process, "versions", { value: { ...versions, node: "20.20.2" } });
  expect(() => new AuthorityClient({ authority: "https://authority.example" })).toThrow(refusal);
});
