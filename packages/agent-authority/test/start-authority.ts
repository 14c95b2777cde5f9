import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { type Dispatcher, request } from "undici";
import { expect, vi } from "vitest";
import { checkAuthorityOptions } from "../src/authority-options.js";
import type { AuthorityContext } from "../src/http/authority-context.js";
import {
  type Authority,
  type AuthorityOptions,
  createAuthority,
  type OpenStoreOptions,
  openStore,
  type TokenRole,
} from "../src/index.js";
import type { AuthorityStore } from "../src/store/authority-store.js";
import { adminCheckerOf, publicCheckerOf } from "./answer-checkers.js";
import { createTestDatabase, databaseKind, type TestDatabase } from "./test-database.js";

export const NOON = Date.UTC(2026, 3, 15, 12, 0, 0);

export interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData["headers"];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
  readonly body: any;
}

export interface CallOptions {
  readonly headers?: Record<string, string | string[]>;
  /** Sent as JSON unless it is a text or bytes. */
  readonly body?: unknown;
}

/** An authority on a loopback port with a clock that stands still, and the raw HTTP to call it with. */
export class TestedAuthority implements AsyncDisposable {
  readonly authority: Authority;
  readonly store: AuthorityStore;
  readonly url: string;
  readonly clock: { nowMs: number };
  readonly #options: AuthorityContext;
  readonly #close: (() => Promise<void>) | undefined;
  #admin: Promise<{ readonly url: string }> | undefined;

  private constructor(
    authority: Authority,
    options: AuthorityContext,
    store: AuthorityStore,
    url: string,
    clock: { nowMs: number },
    close: (() => Promise<void>) | undefined,
  ) {
    this.authority = authority;
    this.#options = options;
    this.store = store;
    this.url = url;
    this.clock = clock;
    this.#close = close;
  }

  static async start(
    options: Omit<AuthorityOptions, "store"> & { readonly database?: string } = {},
  ): Promise<TestedAuthority> {
    const { database, ...rest } = options;
    const clock = { nowMs: NOON };
    const own = database === undefined ? await createScratchDatabase() : undefined;
    const url = database ?? own?.url ?? "sqlite::memory:";
    const store = await openStore(url, { now: () => clock.nowMs });
    const authority = await createAuthority({ store, ...rest });
    const listening = await authority.listen({ host: "127.0.0.1", port: 0 });
    const checked = checkAuthorityOptions({ store, ...rest });
    const close = async () => {
      await store.close();
      await own?.drop();
    };
    return new TestedAuthority(authority, checked, store, listening.url, clock, close);
  }

  /** Another authority on the same store, with the same clock. */
  async beside(options: Omit<AuthorityOptions, "store">): Promise<TestedAuthority> {
    const { store, clock } = this;
    const authority = await createAuthority({ store, ...options });
    const { url } = await authority.listen({ host: "127.0.0.1", port: 0 });
    const checked = checkAuthorityOptions({ store, ...options });
    return new TestedAuthority(authority, checked, store, url, clock, undefined);
  }

  /** Calls the public listener. Every answer must be as its OpenAPI document says. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await send(this.url, method, path, options);
    publicCheckerOf(this.#options).check(method, path, answer);
    return answer;
  }

  /** Calls an admin listener, which is started by the first call. Every answer must be as its OpenAPI document says. */
  async callAdmin(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await send(await this.adminUrl(), method, path, options);
    adminCheckerOf().check(method, path, answer);
    return answer;
  }

  /** Where the admin listener is. */
  async adminUrl(): Promise<string> {
    this.#admin ??= this.authority.listenAdmin({ host: "127.0.0.1", port: 0 });
    return (await this.#admin).url;
  }

  async token(role: TokenRole = "human", userId = "user-1", accountId = "acct-1"): Promise<string> {
    const { registry } = this.authority;
    const scopes = role === "operate" ? (["tokens"] as const) : [];
    const options = { accountId, userId, role, scopes, ttlSeconds: 86_400 };
    return (await registry.createAccessToken(options)).token;
  }

  /** Waits until the use of a user's tokens is written, which is after the answers that they were used for. */
  async useNoted(userId: string): Promise<void> {
    const { registry } = this.authority;
    // Not `expect.poll`, which is for tests alone: a hook calls this too.
    await vi.waitFor(async () => {
      const tokens = await registry.listAccessTokens({ userId });
      expect(tokens.filter(({ lastUsedAt }) => lastUsedAt === undefined)).toEqual([]);
    }, 60_000);
  }

  /** Mints a biscuit for a POST to this path. */
  async biscuit(token: string, path: string): Promise<string> {
    const answer = await this.call("GET", "/authenticate_app_v2", {
      headers: biscuitHeaders(token, this.url + path),
    });
    return String(answer.headers["x-openai-authorization"]);
  }

  /** Registers an agent by bearer. */
  registerAgent(token: string, key: AgentKey, body: object = {}): Promise<Answer> {
    return this.call("POST", "/v1/agent/register", {
      headers: { authorization: `Bearer ${token}` },
      body: { ...agentBody(key), ...body },
    });
  }

  /** Registers a task. */
  registerTask(
    agentRuntimeId: string,
    key: AgentKey,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.call("POST", taskPath(agentRuntimeId), {
      headers,
      body: taskBody(agentRuntimeId, key, this.clock.nowMs),
    });
  }

  /** A registered agent with its key. */
  async agent(userId = "user-1"): Promise<{ id: string; key: AgentKey; token: string }> {
    const token = await this.token("human", userId);
    const key = AgentKey.generate();
    const { body } = await this.registerAgent(token, key);
    return { id: body.agent_runtime_id, key, token };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.authority.close();
    await this.#close?.();
  }
}

async function send(
  base: string,
  method: string,
  path: string,
  options: CallOptions,
): Promise<Answer> {
  const { body } = options;
  const response = await request(base + path, {
    method: method as Dispatcher.HttpMethod,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers,
    },
    body: isRaw(body) ? (body ?? null) : JSON.stringify(body),
  });
  const text = await response.body.text();
  const isJson = /json/.test(String(response.headers["content-type"]));
  return {
    status: response.statusCode,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

/** A store of a test's own that goes with it. */
export async function openScratchStore(
  options?: OpenStoreOptions,
): Promise<AuthorityStore & AsyncDisposable> {
  const database = await createScratchDatabase();
  const store = await openStore(database?.url ?? "sqlite::memory:", options);
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    await database?.drop();
  };
  return store;
}

// SQLite's in memory where no other process has to find it.
async function createScratchDatabase(): Promise<TestDatabase | undefined> {
  return databaseKind === "sqlite" ? undefined : createTestDatabase();
}

function isRaw(body: unknown): body is string | Buffer | undefined {
  return body === undefined || typeof body === "string" || Buffer.isBuffer(body);
}

export function biscuitHeaders(token: string, url: string): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    "x-request-id": "codex-agent-identity-AAAAAAAAAAAAAAAAAAAAAA",
    "x-original-method": "POST",
    "x-original-url": url,
  };
}

export function agentBody(key: AgentKey) {
  return {
    abom: {
      agent_version: "0.122.0",
      agent_harness_id: "codex-cli",
      running_location: "exec-linux",
    },
    agent_public_key: key.publicKey.line,
    capabilities: [] as string[],
  };
}

export function taskPath(agentRuntimeId: string): string {
  return `/v1/agent/${agentRuntimeId}/task/register`;
}

export function taskBody(agentRuntimeId: string, key: AgentKey, nowMs: number) {
  const timestamp = formatTimestamp(nowMs);
  return { signature: key.signText(`${agentRuntimeId}:${timestamp}`), timestamp };
}
