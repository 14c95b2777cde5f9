import http from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { followsEnvProxies } from "./env-proxies.js";

const before = http.globalAgent;
afterEach(() => {
  http.globalAgent = before;
});

test("no host where Node was not told to use the proxies of the environment", () => {
  http.globalAgent = new http.Agent();
  expect(followsEnvProxies("https://authority.test")).toBe(false);
});

test("no host where Node was told to use them and none is named", () => {
  http.globalAgent = new http.Agent({ proxyEnv: { NO_PROXY: "*" } } as http.AgentOptions);
  expect(followsEnvProxies("https://authority.test")).toBe(false);
});

test.each([
  ["HTTP_PROXY", "http://authority.test", true],
  ["HTTP_PROXY", "https://authority.test", true],
  ["HTTPS_PROXY", "https://authority.test", true],
  ["HTTPS_PROXY", "http://authority.test", false],
])("with %s alone, %s: %s", (name, url, expected) => {
  http.globalAgent = new http.Agent({
    proxyEnv: { [name]: "http://127.0.0.1:1" },
  } as http.AgentOptions);
  expect(followsEnvProxies(url)).toBe(expected);
});

describe("where Node was told to use them,", () => {
  test.each([
    ["http://127.0.0.1:4600", false],
    ["http://127.9.9.9", false],
    ["http://[::1]:1/a", false],
    ["https://localhost", false],
    ["https://authority.test", true],
    ["http://192.0.2.1:4600/backend-api", true],
  ])("%s: %s", (url, expected) => {
    // As Node does it under `NODE_USE_ENV_PROXY=1`.
    http.globalAgent = new http.Agent({
      proxyEnv: { HTTP_PROXY: "http://127.0.0.1:1" },
    } as http.AgentOptions);
    expect(followsEnvProxies(url)).toBe(expected);
  });
});
