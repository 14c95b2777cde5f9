import { CountersignError } from "@countersign/agent-key";
import { expect, test } from "vitest";
import {
  backupStore,
  createAuthority,
  createAuthorityMetrics,
  createOperationsListener,
  createRegistry,
  databaseDirectory,
  databaseReplayStore,
  openStore,
} from "../src/index.js";
import { createOidcIssuer } from "../src/oidc.js";
import { remoteRegistry } from "../src/remote-registry.js";

const SECRET = "s3cr3t";
const authority = "https://authority.example";
const url = "sqlite::memory:";
const issuer = { name: "corp", issuer: "https://issuer.example", audience: "countersign" };

type Call = (...values: readonly never[]) => unknown;
const call =
  (run: Call, ...values: readonly unknown[]) =>
  () =>
    run(...(values as never[]));
const withStore =
  (change: object, make: Call = createAuthority) =>
  async () => {
    const store = await openStore(url);
    try {
      return await make({ store, ...change } as never);
    } finally {
      await store.close();
    }
  };

test.each<[option: string, make: () => unknown]>([
  ["options", call(createAuthority)],
  ["store", call(createAuthority, {})],
  ["store", call(createAuthority, { store: url })],
  ["store", async () => createAuthority({ store: Promise.resolve({}) as never })],
  ["publicUrl", withStore({ publicUrl: 7 })],
  ["humans", withStore({ humans: {} })],
  ["generations", withStore({ generations: "A" })],
  ["capabilities", withStore({ capabilities: "binding" })],
  ["trustedProxies", withStore({ trustedProxies: "10.0.0.0/8" })],
  ["limits", withStore({ limits: 7 })],
  ["maxLiveAgents", withStore({ maxLiveAgents: "7" })],
  ["now", withStore({ now: 0 })],
  ["logger", withStore({ logger: () => {} })],
  ["metrics", withStore({ metrics: true })],
  ["store", call(createRegistry)],
  ["store", call(createRegistry, url)],
  ["store", call(createRegistry, { store: {} })],
  ["store", call(databaseDirectory, authority)],
  ["store", call(databaseReplayStore, undefined)],
  ["metrics", call(createOperationsListener, {})],
  ["isReady", call(createOperationsListener, { metrics: createAuthorityMetrics() })],
  ["url", call(openStore)],
  ["url", call(openStore, { url })],
  ["now", call(openStore, url, { now: 0 })],
  ["file", call(backupStore, "sqlite:authority.db")],
  ["options", call(createOidcIssuer)],
  ["name", call(createOidcIssuer, { ...issuer, name: undefined })],
  ["issuer", call(createOidcIssuer, { ...issuer, issuer: 7 })],
  ["audience", call(createOidcIssuer, { ...issuer, audience: ["a"] })],
  ["algorithms", call(createOidcIssuer, { ...issuer, algorithms: "RS256" })],
  ["options", call(remoteRegistry, authority)],
  ["url", call(remoteRegistry, { token: SECRET })],
  ["token", call(remoteRegistry, { url: authority, token: { secret: SECRET } })],
])(
  "a wrong %s is config_invalid at construction, and no value is shown (%#) (G-M1)",
  async (option, run) => {
    const thrown: unknown = await new Promise((resolve) => resolve(run())).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!CountersignError.is(thrown)) throw thrown ?? new Error("nothing was thrown");
    expect(["AgentAuthorityError", "AgentKeyError"]).toContain(thrown.name);
    expect(thrown.code).toBe("config_invalid");
    expect(thrown.message).toMatch(new RegExp(`\\b${option}\\b`));
    expect(`${thrown.message} ${thrown.hint}`).not.toContain(SECRET);
  },
);
