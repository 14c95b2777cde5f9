import http from "node:http";
import * as undici from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { defaultDispatcher } from "./default-dispatcher.js";

const before = { agent: http.globalAgent, dispatcher: undici.getGlobalDispatcher() };
const REMOTE = "https://authority.test";

beforeEach(() => {
  http.globalAgent = new http.Agent({
    proxyEnv: { HTTPS_PROXY: "http://127.0.0.1:1" },
  } as http.AgentOptions);
});
afterEach(() => {
  http.globalAgent = before.agent;
  undici.setGlobalDispatcher(before.dispatcher);
});

test("a loopback authority gets no global dispatcher, also none that the program set", () => {
  const own = new undici.EnvHttpProxyAgent();
  undici.setGlobalDispatcher(own);
  expect(defaultDispatcher(undici, "http://127.0.0.1:1")).toBeInstanceOf(undici.Agent);
});

test("the global dispatcher that the program set is used, whatever the environment names", () => {
  const own = new undici.MockAgent();
  undici.setGlobalDispatcher(own);
  expect(defaultDispatcher(undici, REMOTE)).toBe(own);
});

test("the proxies of the environment are followed where Node does not hand them to undici", () => {
  undici.setGlobalDispatcher(new undici.Agent());
  const first = defaultDispatcher(undici, REMOTE);
  expect(first).toBeInstanceOf(undici.EnvHttpProxyAgent);
  expect(defaultDispatcher(undici, REMOTE)).toBe(first);
});

test.each([
  ["undici's agent for proxies", undici.EnvHttpProxyAgent],
  ["an agent of its own", class extends undici.Agent {}],
])("%s is used if the program set it", (_, Own) => {
  const own = new Own();
  undici.setGlobalDispatcher(own);
  expect(defaultDispatcher(undici, REMOTE)).toBe(own);
});

test("without proxies of the environment undici's global dispatcher is used", () => {
  http.globalAgent = new http.Agent();
  const plain = new undici.Agent();
  undici.setGlobalDispatcher(plain);
  expect(defaultDispatcher(undici, REMOTE)).toBe(plain);
});
