import { CountersignError } from "@countersign/agent-key";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { agentAssertion as express } from "../src/express.js";
import { agentAssertion as fastify } from "../src/fastify.js";
import { withAgent } from "../src/handler.js";
import { agentAssertion as hono } from "../src/hono.js";
import { createVerifier, memoryDirectory, memoryReplayStore } from "../src/index.js";
import { agentAssertion as koa } from "../src/koa.js";
import { agentGuard } from "../src/nestjs.js";
import { requireAgent } from "../src/node.js";
import { remoteDirectory } from "../src/remote-directory.js";
import { AssertionSigner } from "../src/sign.js";

const SECRET = "s3cr3t";
const authority = "https://authority.example";
const directory = memoryDirectory({ authority, agents: [], tasks: [] });
const verifier = createVerifier({ directory });
const publicUrl = "https://api.example";
const replayStore = memoryReplayStore();
const handler = () => {};

// As JavaScript calls them.
const make = {
  verifier: (options: unknown) => createVerifier(options as never),
  remote: (...values: readonly unknown[]) => remoteDirectory(...(values as [never])),
  memory: (options: unknown) => memoryDirectory(options as never),
  replay: (options: unknown) => memoryReplayStore(options as never),
  signer: (options: unknown) => new AssertionSigner(options as never),
  node: (...values: readonly unknown[]) => requireAgent(...(values as [never, never])),
  handler: (...values: readonly unknown[]) => withAgent(...(values as [never, never])),
  express: (options: unknown) => express(options as never),
  hono: (options: unknown) => hono(options as never),
  koa: (options: unknown) => koa(options as never),
  nest: (...values: readonly unknown[]) => agentGuard(...(values as [never])),
};
const bound = (change: object) => () =>
  make.verifier({ directory, binding: { policy: "require", publicUrl, replayStore, ...change } });

const WRONG: readonly [option: string, make: () => unknown][] = [
  ["options", () => make.verifier(undefined)],
  ["directory", () => make.verifier({})],
  ["directory", () => make.verifier(directory)],
  ["directory", () => make.verifier({ directory: authority })],
  ["directory", () => make.verifier({ directory: {} })],
  ["directory", () => make.verifier({ directory: remoteDirectory })],
  ["maxSkewSeconds", () => make.verifier({ directory, maxSkewSeconds: "300" })],
  ["maxSkewSeconds", () => make.verifier({ directory, maxSkewSeconds: 3601 })],
  ["now", () => make.verifier({ directory, now: 0 })],
  ["onVerified", () => make.verifier({ directory, onVerified: SECRET })],
  ["onRefused", () => make.node(verifier, handler, { onRefused: true })],
  ["policy", () => make.verifier({ directory, policy: "acct-1" })],
  ["accounts", () => make.verifier({ directory, policy: { accounts: "acct-12" } })],
  ["capability", () => make.verifier({ directory, policy: { capability: ["a"] } })],
  ["policy", () => make.verifier({ directory, policy: { account: ["acct-1"] } })],
  ["binding.policy", bound({ policy: "required" })],
  ["binding", () => make.verifier({ directory, binding: "require" })],
  ["publicUrl", bound({ publicUrl: 7 })],
  ["publicUrl", bound({ publicUrl: "api.example" })],
  ["replayStore", bound({ replayStore: memoryReplayStore })],
  ["maxBodyBytes", bound({ maxBodyBytes: "1" })],
  ["authority", () => make.remote(undefined)],
  ["authority", () => make.remote({ token: SECRET }, authority)],
  ["authority", () => make.remote(SECRET)],
  ["options", () => make.remote(authority, SECRET)],
  ["token", () => make.remote(authority, { token: { secret: SECRET } })],
  ["token", () => make.remote(authority, { token: `${SECRET}\n` })],
  ["revocationDelaySeconds", () => make.remote(authority, { revocationDelaySeconds: "15" })],
  ["maxEntries", () => make.remote(authority, { maxEntries: 1.5 })],
  ["deadlineMs", () => make.remote(authority, { deadlineMs: "5000" })],
  ["onLookup", () => make.remote(authority, { onLookup: true })],
  ["fetch", () => make.remote(authority, { fetch: authority })],
  ["insecureHttp", () => make.remote(authority, { insecureHttp: "true" })],
  ["options", () => make.memory(authority)],
  ["authority", () => make.memory({ agents: [], tasks: [] })],
  ["agents", () => make.memory({ authority, tasks: [] })],
  ["tasks", () => make.memory({ authority, agents: [], tasks: {} })],
  ["options", () => make.replay(1000)],
  ["maxEntries", () => make.replay({ maxEntries: "1000" })],
  ["maxEntries", () => make.signer({ maxEntries: 0 })],
  ["now", () => make.signer({ now: 0 })],
  ["verifier", () => make.node(undefined, handler)],
  ["verifier", () => make.node(handler, verifier)],
  ["handler", () => make.node(verifier)],
  ["policy", () => make.node(verifier, handler, { policy: "acct-1" })],
  ["accounts", () => make.node(verifier, handler, { policy: { accounts: "acct-12" } })],
  ["onError", () => make.node(verifier, handler, { onError: "log" })],
  ["onMissing", () => make.node(verifier, handler, { onMissing: "allow" })],
  ["verifier", () => make.handler(undefined, handler)],
  ["verifier", () => make.handler(handler, verifier)],
  ["handler", () => make.handler(verifier)],
  ["policy", () => make.handler(verifier, handler, { policy: "acct-1" })],
  ["accounts", () => make.handler(verifier, handler, { policy: { accounts: "acct-12" } })],
  ["onError", () => make.handler(verifier, handler, { onError: "log" })],
  ["onMissing", () => make.handler(verifier, handler, { onMissing: true })],
  ["options", () => make.express(undefined)],
  ["verifier", () => make.express(verifier)],
  ["verifier", () => make.express({ verifier: directory })],
  ["rawBody", () => make.express({ verifier, rawBody: true })],
  ["options", () => make.hono(undefined)],
  ["verifier", () => make.hono({ verifier: authority })],
  ["now", () => make.hono({ verifier, now: 0 })],
  ["options", () => make.koa(undefined)],
  ["verifier", () => make.koa({ verifier: directory })],
  ["policy", () => make.koa({ verifier, policy: "acct-1" })],
  ["onMissing", () => make.koa({ verifier, onMissing: "allow" })],
  ["rawBody", () => make.koa({ verifier, rawBody: true })],
  ["verifier", () => make.nest(undefined)],
  ["verifier", () => make.nest({ verifier })],
  ["policy", () => make.nest(verifier, { policy: "acct-1" })],
  ["onMissing", () => make.nest(verifier, { onMissing: "allow" })],
  [
    "verifier",
    () =>
      Fastify()
        .register(fastify, {} as never)
        .ready(),
  ],
  [
    "verifier",
    () =>
      Fastify()
        .register(fastify, { verifier: directory } as never)
        .ready(),
  ],
];

test.each(WRONG)(
  "a wrong %s is config_invalid at construction, and no value is shown (%#) (G-M1)",
  async (option, run) => {
    const thrown: unknown = await new Promise((resolve) => resolve(run())).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!CountersignError.is(thrown)) throw thrown ?? new Error("nothing was thrown");
    expect(["AgentAssertionError", "AgentKeyError"]).toContain(thrown.name);
    expect(thrown.code).toBe("config_invalid");
    expect(thrown.message).toMatch(new RegExp(`^${option}(?: must|: )`));
    expect(`${thrown.message} ${thrown.hint}`).not.toContain(SECRET);
  },
);

test("the error for a URL in place of a directory says what to give", () => {
  expect(() => make.verifier({ directory: "http://127.0.0.1:4600" })).toThrow(
    'directory must be an AgentDirectory, for instance remoteDirectory("https://authority.example"), got a string',
  );
});
