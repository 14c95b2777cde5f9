import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { renderSwitch } from "./upstream-response.js";

const SETTINGS = { keep: undefined, requestId: "req-1" };
const answer = (...rawHeaders: string[]) => ({ rawHeaders }) as IncomingMessage;

test.each([
  ["a name that is not one", "bad name", "x"],
  ["a value with a line break", "X-Own", "a\r\nX-Other: b"],
])("an upstream's switch with %s is bad_response", (_, name, value) => {
  let thrown: unknown;
  try {
    renderSwitch(answer(name, value), [], SETTINGS);
  } catch (error) {
    thrown = error;
  }
  expect(RequestRefusal.is(thrown) && thrown.code).toBe("bad_response");
});

test("of an upstream's fields, a challenge for agents alone is kept back for what it says", () => {
  const fields = ["X-Note", "AgentAssertion is known here", "WWW-Authenticate", "AgentAssertion x"];
  const head = renderSwitch(answer(...fields), ["Upgrade", "websocket"], SETTINGS);
  expect(head).toContain("X-Note: AgentAssertion is known here\r\n");
  expect(head).not.toContain("WWW-Authenticate");
});
