import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { headerOf } from "@countersign/testing";
import { expect, test } from "vitest";
import { countersign, expectError, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { serverWorld } from "./servers.js";

test("gateway takes a secret from a variable whose name begins like a setting's", async () => {
  const { start, upstream } = await serverWorld();
  const args = ["--upstream", upstream.url, "--authority", "http://127.0.0.1:1"];
  const token = ["--authority-token", "env:COUNTERSIGN_GATEWAY_UPSTREAM_KEY"];
  const env = { COUNTERSIGN_GATEWAY_UPSTREAM_KEY: "cs_rs_token" };
  const { process } = await start(["gateway", "--listen", "127.0.0.1:0", ...args, ...token], env);
  process.kill("SIGTERM");
  expect((await process.exited).code).toBe(0);
});

test("gateway refuses to start without a listener, without an upstream, and with two of these", async () => {
  const { home, folder } = await serverWorld();
  const run = (...args: string[]) => countersign(["gateway", ...args], { home });
  const noListener = await run("--upstream", "http://127.0.0.1:1");
  expectError(noListener, "usage", 2);
  expect(noListener.stderr).toContain("--config");
  const noUpstream = await run("--listen", "127.0.0.1:0");
  expectError(noUpstream, "usage", 2);
  expect(noUpstream.stderr).toContain("[[upstream]]");
  const config = join(folder.path, "gateway.toml");
  const upstream = '[[upstream]]\nurl = "http://127.0.0.1:1"\n';
  await writeFile(config, upstream + upstream, { mode: 0o600 });
  const two = await run("--config", config, "--listen", "127.0.0.1:0");
  expectError(two, "config_invalid", 2);
  expect(two.stderr).toContain("there are 2 [[upstream]]");
});

test("gateway takes its settings from a file and the environment, and logs in JSON with the request's id", async () => {
  const world = await serverWorld();
  const { folder, home } = world;
  const authority = await world.serve();
  await world.logIn(authority.url);
  const config = join(folder.path, "gateway.toml");
  const toml = [
    'listen = "127.0.0.1:0"',
    `authority = "${authority.url}"`,
    'operations_listen = "127.0.0.1:0"',
    "[[upstream]]",
    'url = "http://127.0.0.1:1"',
    'headers = ["X-Api-Key: env:KEY"]',
  ];
  await writeFile(config, toml.join("\n"), { mode: 0o600 });
  const { process, url } = await world.start(["gateway", "--config", config], {
    COUNTERSIGN_GATEWAY_UPSTREAM_URL: world.upstream.url,
    COUNTERSIGN_GATEWAY_LOG_LEVEL: "debug",
    KEY: "gateway-key",
  });
  const send = (id: string, headers: Record<string, string>) =>
    fetch(`${url}/v1`, { headers: { ...headers, "x-request-id": id } });
  const header = await output(["header"], { home, env: FEATURE_ON });
  const authorization = header.trim().replace("Authorization: ", "");
  expect((await send("req-1", { authorization })).status).toBe(200);
  expect((await send("req-2", {})).status).toBe(401);
  process.kill("SIGTERM");
  const { code, stdout, stderr } = await process.exited;
  expect(code, stderr).toBe(0);
  expect(stdout).toBe(`listening on ${url}\n`);
  const [received = expect.unreachable()] = world.upstream.requests;
  expect(headerOf(received, "x-api-key")).toBe("gateway-key");
  expect(headerOf(received, "x-request-id")).toBe("req-1");
  const lines = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { level: "info", msg: expect.stringMatching(/^operations on http/) },
    { level: "info", msg: "the gateway serves", url },
    { level: "debug", msg: "request", request_id: "req-1", status: 200, path: "/v1" },
    { level: "info", msg: "request", request_id: "req-2", status: 401, code: "missing" },
    { level: "info", msg: expect.stringMatching(/^ending/) },
    { level: "info", msg: "ended" },
  ]);
});
