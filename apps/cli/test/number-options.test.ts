import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createVerifier, memoryDirectory, memoryReplayStore } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { AssertionSigner } from "@countersign/agent-assertion/sign";
import { admitUpgrades } from "@countersign/agent-assertion/ws";
import {
  createAuthority,
  createRegistry,
  followAuditEvents,
  openStore,
  type Registry,
} from "@countersign/agent-authority";
import { createOidcIssuer } from "@countersign/agent-authority/oidc";
import { remoteRegistry } from "@countersign/agent-authority/remote-registry";
import {
  AgentIdentityManager,
  createAuthSlot,
  loginAuth,
  memoryStore,
} from "@countersign/agent-identity";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { identityJwtAuth, remoteKeySet } from "@countersign/agent-identity/identity-jwt";
import { keyringStore } from "@countersign/agent-identity/keyring-store";
import { AgentKey, CountersignError } from "@countersign/agent-key";
import { signWithAsync } from "@countersign/agent-key/signers";
import { AgentTaskManager, fileTaskStore } from "@countersign/agent-task";
import { mcpServer } from "@countersign/ai/mcp-server";
import { createSigningProxy, createVerifyingGateway } from "@countersign/assertion-proxy";
import { withFileLock } from "@countersign/private-file";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const LONGEST_MS = 2_147_483_647;
const TEN_YEARS = 315_360_000;
const UP = Number.POSITIVE_INFINITY;

const authority = "https://authority.example";
const upstream = "https://api.example";
const directory = memoryDirectory({ authority, agents: [], tasks: [] });
const verifier = createVerifier({ directory });
const store = memoryStore();
const identities = new AgentIdentityManager({ authority, auth: createAuthSlot(), store });
const keySet = remoteKeySet("https://keys.example");
const bound = { policy: "require", publicUrl: upstream, replayStore: memoryReplayStore() } as const;
const human = { accountId: "acct-1", userId: "user-1", role: "human" } as const;
const issuer = { name: "corp", issuer: "https://issuer.example", audience: authority };

const { publicKey } = AgentKey.generate();
const sockets = { options: { noServer: true }, handleUpgrade() {}, emit: () => true };
const elsewhere = { publicKey, sign: async () => new Uint8Array(64) };

type Options = Readonly<Record<string, unknown>>;
type Use = (options: Options) => unknown;

const authorityWith: Use = async (options) => {
  await using opened = await openStore("sqlite::memory:");
  const made = await createAuthority({ store: opened, ...options });
  await made.close();
};
const registryFor =
  (run: (registry: Registry, options: never) => unknown, of: object = {}): Use =>
  async (options) => {
    await using opened = await openStore("sqlite::memory:");
    await run(createRegistry(opened, of), options as never);
  };
const gateway: Use = (options) =>
  createVerifyingGateway({ verifier, upstream, accounts: "any", ...options });
const proxy: Use = (options) =>
  createSigningProxy({ upstream, source: () => ({}) as never, clientToken: "open", ...options });
const listening: Use = async (options) => {
  await using opened = await openStore("sqlite::memory:");
  const made = await createAuthority({ store: opened });
  try {
    await made.listen({ host: "127.0.0.1", ...options } as never);
  } finally {
    await made.close();
  }
};

/** The range of each option, and what takes it. A third member: it may have a fraction. */
type Range = readonly [least: number, most: number, kind?: "fraction"];

const CHECKED: Readonly<Record<string, readonly [Use, Readonly<Record<string, Range>>]>> = {
  SignWithOptions: [
    (options) => signWithAsync(elsewhere, "text", options),
    { deadlineMs: [1, LONGEST_MS] },
  ],
  AssertionSignerOptions: [(options) => new AssertionSigner(options), { maxEntries: [1, UP] }],
  MemoryReplayStoreOptions: [memoryReplayStore, { maxEntries: [1, UP] }],
  BindingOptions: [
    (options) => createVerifier({ directory, binding: { ...bound, ...options } }),
    { maxBodyBytes: [1, 2 ** 30] },
  ],
  CreateVerifierOptions: [
    (options) => createVerifier({ directory, ...options }),
    { maxSkewSeconds: [0, 3600, "fraction"] },
  ],
  LookupLimits: [
    (lookups) => createVerifier({ directory, lookups }),
    { maxRunning: [1, 1_000_000], maxWaiting: [1, 1_000_000], unknownPerMinute: [1, 1_000_000] },
  ],
  RemoteDirectoryOptions: [
    (options) => remoteDirectory(authority, options),
    {
      deadlineMs: [1, 600_000, "fraction"],
      maxEntries: [1, 10_000_000],
      revocationDelaySeconds: [0, 30, "fraction"],
      staleIfErrorSeconds: [0, 3600, "fraction"],
      useReportSeconds: [0, 3600, "fraction"],
    },
  ],
  AuthorityOptions: [
    authorityWith,
    {
      agentTtlSeconds: [1, TEN_YEARS],
      maxEphemeralTtlSeconds: [1, 604_800],
      maxSkewSeconds: [1, 3600],
      taskIdleTtlSeconds: [600, TEN_YEARS],
      taskTtlSeconds: [1, TEN_YEARS],
    },
  ],
  LiveLimitOptions: [
    (limits) => createOidcIssuer({ ...issuer, account: "acct-1", liveLimits: limits }),
    {
      maxEphemeralAgents: [1, 1_000_000],
      maxLiveAgents: [1, 1_000_000],
      maxLiveTasks: [1, 10_000_000],
    },
  ],
  RateLimitOptions: [
    (rateLimits) => authorityWith({ rateLimits }),
    {
      addressPerMinute: [1, 10_000_000],
      agentPerMinute: [1, 10_000_000],
      refusalsPerMinute: [1, 10_000_000],
      userPerMinute: [1, 10_000_000],
    },
  ],
  ServerLimits: [
    (limits) => authorityWith({ limits }),
    {
      keepAliveMs: [1, LONGEST_MS],
      maxBodyBytes: [1, LONGEST_MS],
      maxConnections: [1, LONGEST_MS],
      maxConnectionsPerAddress: [1, LONGEST_MS],
      maxEventLoopDelayMs: [1, LONGEST_MS],
      maxHeaderBytes: [1, LONGEST_MS],
      maxRequests: [1, LONGEST_MS],
      requestHeadMs: [1, LONGEST_MS],
      requestMs: [1, LONGEST_MS],
    },
  ],
  RegistryOptions: [
    (options) => registryFor(() => undefined, options)({}),
    { agentTtlSeconds: [1, TEN_YEARS], maxLiveAgents: [1, 1_000_000] },
  ],
  CreateAccessTokenOptions: [
    registryFor((registry, options: Options) =>
      registry.createAccessToken({ ...human, ...options } as never),
    ),
    { ttlSeconds: [1, TEN_YEARS] },
  ],
  RotateAccessTokenOptions: [
    registryFor(async (registry, options: Options) => {
      const { id } = await registry.createAccessToken({ ...human, role: "human", ttlSeconds: 60 });
      await registry.rotateAccessToken(id, options);
    }),
    { overlapSeconds: [0, 30 * 86_400], ttlSeconds: [1, TEN_YEARS] },
  ],
  IssueIdentityOptions: [
    registryFor(
      (registry, options: Options) => registry.issueIdentity({ ...human, ...options } as never),
      { generations: ["B"] },
    ),
    { ttlSeconds: [1, TEN_YEARS] },
  ],
  FindOptions: [
    registryFor((registry, options: Options) => registry.find("agent_1", options)),
    { limit: [1, 100] },
  ],
  FollowAuditEventsOptions: [
    registryFor((registry, options: Options) => followAuditEvents(registry, options).next()),
    { after: [0, UP], pollMs: [1, LONGEST_MS] },
  ],
  OidcIssuerOptions: [
    (options) => createOidcIssuer({ ...issuer, account: "acct-1", ...options }),
    {
      agentTtlSeconds: [1, TEN_YEARS],
      cacheSeconds: [0, 86_400],
      clockToleranceSeconds: [0, 300],
      deadlineMs: [100, 60_000],
      staleIfErrorSeconds: [0, 86_400],
    },
  ],
  RemoteRegistryOptions: [
    (options) => remoteRegistry({ url: authority, token: "secret", ...options }),
    { attempts: [1, UP] },
  ],
  AuthorityClientOptions: [
    (options) => new AuthorityClient({ authority, ...options }),
    { attempts: [1, UP], deadlineMs: [1, LONGEST_MS, "fraction"] },
  ],
  LoginAuthOptions: [
    (options) => loginAuth(store, authority, { keySet, ...options }),
    { clockToleranceSeconds: [0, 300, "fraction"] },
  ],
  IdentityJwtOptions: [
    (options) => identityJwtAuth({ authority, keySet, token: "secret", ...options }),
    { clockToleranceSeconds: [0, 300, "fraction"] },
  ],
  RemoteKeySetOptions: [
    (options) => remoteKeySet("https://keys.example", options),
    { cacheSeconds: [0, 604_800, "fraction"], staleIfErrorSeconds: [0, 604_800, "fraction"] },
  ],
  AgentIdentityManagerOptions: [
    (options) => new AgentIdentityManager({ authority, auth: createAuthSlot(), store, ...options }),
    { attempts: [1, UP], deadlineMs: [1, LONGEST_MS, "fraction"], ttlSeconds: [1, UP] },
  ],
  KeyringStoreOptions: [
    (options) => keyringStore({ directory: "/nowhere", ...options }),
    { maxEntryBytes: [512, UP] },
  ],
  AgentTaskManagerOptions: [
    (options) => new AgentTaskManager({ identities, ...options }),
    {
      deadlineMs: [1, LONGEST_MS - 1000, "fraction"],
      renewBeforeMs: [0, LONGEST_MS - 1000, "fraction"],
    },
  ],
  ThreadOptions: [
    (options) => new AgentTaskManager({ identities }).run().ensure(options),
    { deadlineMs: [0, LONGEST_MS, "fraction"], outageMs: [0, LONGEST_MS, "fraction"] },
  ],
  CredentialOptions: [
    (options) => new AgentTaskManager({ identities }).run().credential(options),
    { deadlineMs: [0, LONGEST_MS, "fraction"], outageMs: [0, LONGEST_MS, "fraction"] },
  ],
  TaskLockOptions: [
    (options) => fileTaskStore("/nowhere").withLock("thread-1", async () => {}, options),
    { waitMs: [0, UP, "fraction"] },
  ],
  FileLockOptions: [
    (options) => withFileLock("/nowhere/lock", async () => {}, options),
    { waitMs: [0, UP, "fraction"] },
  ],
  ProxyLimits: [
    (limits) => gateway({ limits }),
    {
      admitMs: [1, LONGEST_MS],
      connectMs: [1, LONGEST_MS],
      continueMs: [1, LONGEST_MS],
      idleMs: [1, LONGEST_MS],
      maxBodyBytes: [0, UP],
      maxConnections: [1, UP],
      maxConnectionsPerAddress: [1, UP],
      maxHeaderBytes: [1, UP],
      maxHeldBytes: [1, UP],
      maxRequests: [1, UP],
      maxRequestsPerAccount: [1, UP],
      maxRequestsPerAgent: [1, UP],
      maxRequestsPerConnection: [1, UP],
      requestHeadMs: [1, LONGEST_MS],
      responseMs: [1, LONGEST_MS],
      tunnelIdleMs: [1, LONGEST_MS],
    },
  ],
  SigningProxyOptions: [
    proxy,
    {
      bindingBodyBytes: [0, UP],
      credentialMs: [1, LONGEST_MS],
      maxThreads: [1, 100_000],
      replayBodyBytes: [0, UP],
    },
  ],
  VerifyingGatewayOptions: [gateway, { recheckMs: [1, 30_000] }],
  AdmitUpgradesOptions: [
    (options) => admitUpgrades(sockets as never, { verifier, ...options }),
    { recheckMs: [1, 30_000] },
  ],
  McpServerOptions: [
    (options) => mcpServer({ verifier, connect: () => ({}) as never, ...options }),
    { maxSessions: [1, 100_000], recheckMs: [1, 30_000], sessionIdleSeconds: [1, 86_400] },
  ],
  CloseOptions: [
    (options) =>
      createVerifyingGateway({ verifier, upstream, accounts: "any" }).close(options as never),
    { delayMs: [0, LONGEST_MS], drainMs: [0, LONGEST_MS] },
  ],
  ListenOptions: [listening, { port: [0, 65_535] }],
};

/** Why the numbers of other options have no check of their own. */
const UNCHECKED: Readonly<Record<string, string>> = {
  CheckAssertionOptions: "a pure check, which fails for every assertion where they are not numbers",
  VerifyKeyRotationOptions: "a pure check, as above",
  VerifyTaskRegistrationOptions: "a pure check, as above",
  VerifyOwnEndOptions: "a pure check, as above",
  UnreadableBodyOptions: "what an error carries",
  AuthorityErrorOptions: "what an error carries",
};

const rows = Object.entries(CHECKED).flatMap(([of, [use, ranges]]) =>
  Object.entries(ranges).map(([option, [least, most, kind]]) => {
    const name = kind === "fraction" ? "a number" : "an integer";
    const range = most === UP ? `from ${least} up` : `from ${least} to ${most}`;
    const wrong = [Number.NaN, least - 1, ...(most === UP ? [] : [most + 1])];
    if (kind === undefined) wrong.push(least + 0.5);
    return { of, option, use, text: `${name} ${range}`, wrong };
  }),
);

describe("a number out of its range is refused, and the message says the range and the number:", () => {
  test.each(rows)("$of $option must be $text", async ({ option, use, text, wrong }) => {
    for (const value of wrong) {
      const error = await refusalOf(() => use({ [option]: value }));
      expect(["config_invalid", "invalid_request"]).toContain(error.code);
      expect(error.message.replace(/^(?:oidc corp: |limits\.|rateLimits\.)/, "")).toBe(
        `${option} must be ${text}, got ${value}`,
      );
    }
  });
});

test("each number among the public options of the packages is in this table, or it says why not", async () => {
  const found = await publicNumbers();
  expect(found.size).toBeGreaterThan(60);
  const told = (name: string) => {
    const [of = "", option = ""] = name.split(".");
    return of in UNCHECKED || Object.hasOwn(CHECKED[of]?.[1] ?? {}, option);
  };
  expect([...found].filter((name) => !told(name))).toEqual([]);
  const interfaces = new Set([...found].map((name) => name.split(".")[0]));
  expect(Object.keys(UNCHECKED).filter((of) => !interfaces.has(of))).toEqual([]);
  expect(
    rows.map(({ of, option }) => `${of}.${option}`).filter((name) => !found.has(name)),
  ).toEqual([]);
});

async function refusalOf(run: () => unknown): Promise<CountersignError> {
  const thrown: unknown = await new Promise((resolve) => resolve(run())).then(
    () => new Error("nothing was thrown"),
    (error: unknown) => error,
  );
  if (!CountersignError.is(thrown)) throw thrown;
  return thrown;
}

/** `Interface.option` for each number in what the API reports call options or limits. */
async function publicNumbers(): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const file of glob("packages/*/api/*.api.md", { cwd: ROOT })) {
    const report = await readFile(join(ROOT, file), "utf8");
    const declared = /^(?:export )?interface (\w+(?:Options|Limits))\b[^{]*\{$(.*?)^\}/gms;
    for (const [, of, body = ""] of report.matchAll(declared)) {
      for (const [, option] of body.matchAll(/^ {4}(?:readonly )?(\w+)\??: number\b/gm)) {
        found.add(`${of}.${option}`);
      }
    }
  }
  return found;
}
