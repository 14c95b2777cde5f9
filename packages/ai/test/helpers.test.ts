import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseAssertion } from "@countersign/agent-assertion";
import {
  AgentKey,
  CountersignError,
  type Credential,
  type CredentialSource,
} from "@countersign/agent-key";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { aiSdk, anthropic, langchain, mcp, openai, type SignedBy } from "../src/index.js";

const baseURL = "https://api.example/v1";
const credential: Credential = {
  kind: "agent",
  authority: "https://authority.example",
  agentRuntimeId: "agent-1",
  taskId: "task-1",
  key: AgentKey.generate(),
};
const signing = sourceOf(credential);
const off = sourceOf({ kind: "none", reason: "feature_off" });

function sourceOf(given: Credential): CredentialSource {
  return { credential: async () => given, refused: async () => undefined, accepted: () => {} };
}

interface Sent {
  readonly authorization?: string;
  readonly key?: string;
}

async function sentBy(answer: Promise<Response>): Promise<Sent> {
  return (await (await answer).json()) as Sent;
}

/** An API that answers with the credentials of its request. */
async function startApi(): Promise<string> {
  const server = createServer(({ headers }, response) => {
    const { authorization, "x-api-key": key } = headers;
    response.end(JSON.stringify({ authorization, key }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each([
  ["openai", openai],
  ["aiSdk", aiSdk],
  ["anthropic", anthropic],
  ["langchain", langchain],
] as const)("%s", (_, helper) => {
  test.each([
    [undefined, /baseURL must be a URL/],
    ["", /baseURL must be a URL/],
    ["api.example/v1", /baseURL/],
    ["file:///v1", /baseURL/],
    ["http://api.example/v1", /baseURL/],
  ])("refuses the base URL %j", (wrong, says) => {
    expect(() => helper(signing, { baseURL: wrong as string })).toThrow(says);
    try {
      helper(signing, { baseURL: wrong as string });
    } catch (error) {
      expect(CountersignError.is(error) && error.code).toBe("config_invalid");
    }
  });

  test.each([[undefined], [null], ["thread-1"], [{}], [{ credentials: undefined }]])(
    "refuses %j for a thread",
    (wrong) => {
      expect(() => helper(wrong as unknown as SignedBy, { baseURL })).toThrow(CountersignError);
    },
  );

  test("passes the options of withAssertion on, and their errors", () => {
    const wrong = {
      binding: "yes",
      bindng: true,
      elsewhere: "never",
      keepFields: ["authorization"],
    };
    for (const [name, value] of Object.entries(wrong)) {
      const options = { baseURL, [name]: value };
      expect(() => helper(signing, options)).toThrow(new RegExp(name));
    }
    const none = undefined as unknown as { baseURL: string };
    expect(() => helper(signing, none)).toThrow(/baseURL/);
  });

  test("asks for no key, and takes one", () => {
    expect(helper(signing, { baseURL }).apiKey).toMatch(/^[a-z-]+$/);
    expect(helper(signing, { baseURL, apiKey: "sk-1" }).apiKey).toBe("sk-1");
  });
});

test("the fetch of a helper signs for the origin of its base URL alone", async () => {
  const [api, other] = [await startApi(), await startApi()];
  const onWarning = vi.fn();
  const { fetch } = openai(signing, { baseURL: `${api}/v1`, onWarning });
  const headers = { authorization: "Bearer signed-by-agent", "x-api-key": "signed-by-agent" };
  const sent = await sentBy(fetch(`${api}/elsewhere`, { headers }));
  expect(parseAssertion(sent.authorization)).toMatchObject({ taskId: "task-1" });
  expect(sent.key).toBeUndefined();
  // The key was given by the helper.
  expect(onWarning).not.toHaveBeenCalled();
  expect(await sentBy(fetch(`${other}/v1`))).toEqual({});
  expect(onWarning).toHaveBeenCalledExactlyOnceWith(
    expect.stringContaining(other),
    "COUNTERSIGN_UNNAMED_ORIGIN",
  );
});

test.each([[undefined], [null], [42], [{}], [{ url: 42 }], ["/v1/models"]])(
  "an SDK that calls fetch with %j gets an error",
  async (unknown) => {
    for (const { fetch } of [openai(signing, { baseURL }), mcp(signing, baseURL)]) {
      await expect(fetch(unknown as unknown as string)).rejects.toThrow(Error);
    }
  },
);

test("while the feature is off the key is sent as it is", async () => {
  const api = await startApi();
  const { apiKey, fetch } = openai(off, { baseURL: api, apiKey: "sk-own" });
  const headers = { authorization: `Bearer ${apiKey}` };
  expect(await sentBy(fetch(api, { headers }))).toEqual({ authorization: "Bearer sk-own" });
});

test("what holds credentials signs as they do, and the URL of MCP may be an object", async () => {
  const api = await startApi();
  for (const url of [api, new URL(api)]) {
    const { fetch } = mcp({ credentials: signing }, url);
    const { authorization } = await sentBy(fetch(api));
    expect(parseAssertion(authorization)).toMatchObject({ agentRuntimeId: "agent-1" });
  }
});

test("MCP's transport is warned of a token that it replaces", async () => {
  const api = await startApi();
  const onWarning = vi.fn();
  const { fetch } = mcp(signing, api, { onWarning });
  await fetch(api, { headers: { authorization: "Bearer own" } });
  expect(onWarning).toHaveBeenCalledExactlyOnceWith(
    expect.any(String),
    "COUNTERSIGN_OWN_AUTHORIZATION",
  );
});

test("a refusal that no repetition changes is an answer to the SDKs that would repeat it", async () => {
  const api = await startApi();
  const revoked = new CountersignError("agent_revoked", "the agent was revoked");
  const source = { ...signing, credential: () => Promise.reject(revoked) };
  for (const fetch of [
    openai(source, { baseURL: api }).fetch,
    anthropic(source, { baseURL: api }).fetch,
    langchain(source, { baseURL: api }).configuration.fetch,
  ]) {
    const answer = await fetch(api);
    expect([answer.status, await answer.json()]).toMatchObject([403, { code: "agent_revoked" }]);
  }
  for (const { fetch } of [aiSdk(source, { baseURL: api }), mcp(source, api)]) {
    await expect(fetch(api)).rejects.toBe(revoked);
  }
});
