import { AgentKeyError, CountersignError } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { AuthorityClient } from "../src/authority-client.js";
import { identityJwtAuth, remoteKeySet } from "../src/identity-jwt.js";
import {
  AgentIdentityManager,
  createAuthSlot,
  fileStore,
  fixedAuth,
  loginAuth,
  memoryStore,
} from "../src/index.js";
import { keyringStore } from "../src/keyring-store.js";

const SECRET = "s3cr3t";
const authority = "https://authority.example";
const human = {
  kind: "human",
  accountId: "acct-1",
  userId: "user-1",
  accessToken: SECRET,
} as const;
const auth = fixedAuth(human);
const store = memoryStore();
const keySet = remoteKeySet("https://keys.example/jwks");

// As JavaScript calls them.
const make = {
  manager: (options: unknown) => new AgentIdentityManager(options as never),
  client: (options: unknown) => new AuthorityClient(options as never),
  fixed: (value: unknown) => fixedAuth(value as never),
  login: (...values: readonly unknown[]) => loginAuth(...(values as [never, never])),
  token: (options: unknown) => identityJwtAuth(options as never),
  keys: (...values: readonly unknown[]) => remoteKeySet(...(values as [never])),
  keyring: (options: unknown) => keyringStore(options as never),
  file: (value: unknown) => fileStore(value as never),
};
const manager = (change: object) => () => make.manager({ authority, auth, store, ...change });

test.each<[option: string, make: () => unknown]>([
  ["options", () => make.manager(undefined)],
  ["options", () => make.manager(authority)],
  ["authority", manager({ authority: undefined })],
  ["authority", manager({ authority: SECRET })],
  ["authority", manager({ authority: "http://authority.example" })],
  ["auth", manager({ auth: undefined })],
  ["auth", manager({ auth: human })],
  ["auth", manager({ auth: store, store: auth })],
  ["store", manager({ store: undefined })],
  ["store", manager({ store: "~/.my-agent" })],
  ["store", manager({ store: Promise.resolve(store) })],
  ["features", manager({ features: null })],
  ["features", manager({ features: true })],
  ["features", manager({ features: { use_agent_identity: true } })],
  ["abom", manager({ abom: "me" })],
  ["capabilities", manager({ capabilities: "a" })],
  ["ttlSeconds", manager({ ttlSeconds: "60" })],
  ["client", manager({ client: authority })],
  ["fetch", manager({ fetch: {} })],
  ["insecureHttp", manager({ insecureHttp: "false" })],
  ["deadlineMs", manager({ deadlineMs: Number.NaN })],
  ["attempts", manager({ attempts: 0 })],
  ["attempts", manager({ attempts: 1.5 })],
  ["attempts", manager({ attempts: "3" })],
  ["now", manager({ now: 0 })],
  ["options", () => make.client(authority)],
  ["authority", () => make.client({})],
  ["deadlineMs", () => make.client({ authority, deadlineMs: 0 })],
  ["attempts", () => make.client({ authority, attempts: 0 })],
  ["auth", () => make.fixed(undefined)],
  ["auth", () => make.fixed(SECRET)],
  ["kind", () => make.fixed({ ...human, kind: "robot" })],
  ["accountId", () => make.fixed({ ...human, accountId: undefined })],
  ["userId", () => make.fixed({ ...human, userId: 7 })],
  ["accessToken", () => make.fixed({ ...human, accessToken: "" })],
  ["proof", () => make.fixed({ ...human, proof: SECRET })],
  ["identity", () => make.fixed({ kind: "agent" })],
  ["accessToken", () => createAuthSlot({ ...human, accessToken: undefined as never })],
  ["auth", () => createAuthSlot().set(null as never)],
  ["store", () => make.login(authority, store)],
  ["authority", () => make.login(store)],
  ["options", () => make.login(store, authority, SECRET)],
  ["keySet", () => make.login(store, authority, { keySet: {} })],
  ["clockToleranceSeconds", () => make.login(store, authority, { clockToleranceSeconds: 301 })],
  ["token", () => make.token({ authority, keySet })],
  ["keySet", () => make.token({ authority, token: SECRET, keySet: "https://keys.example" })],
  ["authority", () => make.token({ token: SECRET, keySet })],
  ["url", () => make.keys({ cacheSeconds: 1 })],
  ["url", () => make.keys(SECRET)],
  ["cacheSeconds", () => make.keys("https://keys.example", { cacheSeconds: "600" })],
  ["options", () => make.keyring("~/.my-agent")],
  ["directory", () => make.keyring({})],
  ["service", () => make.keyring({ directory: "/nowhere", service: 7 })],
  ["maxEntryBytes", () => make.keyring({ directory: "/nowhere", maxEntryBytes: "1000" })],
  ["openEntry", () => make.keyring({ directory: "/nowhere", openEntry: {} })],
  ["directory", () => make.file({ directory: "/nowhere" })],
])(
  "a wrong %s is config_invalid at construction, and no value is shown (%#) (G-M1)",
  (option, run) => {
    let thrown: unknown;
    try {
      run();
    } catch (error) {
      thrown = error;
    }
    if (!CountersignError.is(thrown)) throw thrown ?? new Error("nothing was thrown");
    expect(["AgentKeyError", "StoreError"]).toContain(thrown.name);
    expect(thrown.code).toBe("config_invalid");
    expect(thrown.message).toMatch(new RegExp(`^${option}(?: must|: )`));
    expect(`${thrown.message} ${thrown.hint}`).not.toContain(SECRET);
  },
);

test.each([
  { deadlineMs: Number.NaN },
  { deadlineMs: -1 },
  { attempts: 0 },
  { attempts: Number.NaN },
  { outageMs: Number.POSITIVE_INFINITY },
])("a wrong number of one call is config_invalid: %o (G-M1)", async (options) => {
  const [name = ""] = Object.keys(options);
  const refused = { code: "config_invalid", message: expect.stringContaining(name) };
  const client = new AuthorityClient({ authority, fetch: () => expect.unreachable() });
  const manager = new AgentIdentityManager({ authority, auth, store, client });
  await expect(client.whoami(SECRET, options)).rejects.toMatchObject(refused);
  await expect(manager.ensure(options)).rejects.toMatchObject(refused);
});

test("without features the feature is on", () => {
  expect(new AgentIdentityManager({ authority, auth, store }).enabled).toBe(true);
  const features = { isEnabled: () => false };
  expect(new AgentIdentityManager({ authority, auth, store, features }).enabled).toBe(false);
});

test("the errors say what to give", () => {
  const make = () => new AgentIdentityManager({ authority, store } as never);
  expect(make).toThrow(AgentKeyError);
  expect(make).toThrow(
    "auth must be an AuthSource, for instance fixedAuth({ … }) or loginAuth(store, authority), got nothing",
  );
});
