import { mkdir, readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { headerOf, type TestUpstream } from "@countersign/testing";
import OpenAI, { AzureOpenAI } from "openai";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { startCountersign, storeLogin } from "./command-line.js";
import { freshWorld } from "./fresh-home.js";

let upstream: TestUpstream;
let url: string;
let socketPath: string;
let token: string;

/** A proxy on an address and on a socket, and its client token. */
beforeEach(async () => {
  const world = await freshWorld();
  ({ upstream } = world);
  world.authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
  await storeLogin(world.home, { authority: world.authority.url });
  const directory = join(world.folder.path, "run");
  await mkdir(directory, { mode: 0o700 });
  socketPath = join(directory, "proxy.sock");
  const listen = ["--listen", "127.0.0.1:0", "--socket", socketPath];
  const args = ["proxy", "--upstream", upstream.url, ...listen];
  const process = await startCountersign(args, world.options);
  onTestFinished(() => process[Symbol.asyncDispose]());
  [, url = ""] = await process.waitForLine(/^listening on (http:\S+)$/);
  await process.waitForLine(/^listening on unix:/);
  token = await readFile(join(world.home, "proxy.token"), "utf8");
});

/** Everything that reached the upstream was signed, and showed it nothing of the token. */
function expectSigned(urls: readonly string[]): void {
  expect(upstream.requests.map(({ url: target }) => target)).toEqual(urls);
  for (const received of upstream.requests) {
    expect(headerOf(received, "authorization")).toMatch(/^AgentAssertion [\w-]+$/);
    const head = [received.url, ...received.rawHeaders.flat()].join("\n");
    expect(decodeURIComponent(head)).not.toContain(token);
    expect(head).not.toMatch(/api-key/i);
  }
}

const ASKED = { model: "any", messages: [{ role: "user" as const, content: "Say hello." }] };

describe("the signing proxy takes its token from", () => {
  test("Azure's client of OpenAI, which says it in api-key", async () => {
    const azure = new AzureOpenAI({ endpoint: url, apiKey: token, apiVersion: "2024-10-21" });
    expect(await azure.chat.completions.create(ASKED)).toMatchObject({ ok: true });
    expectSigned(["/openai/deployments/any/chat/completions?api-version=2024-10-21"]);
  });

  test("a client that says it as Authorization and as api-key", async () => {
    const openai = new OpenAI({
      baseURL: `${url}/v1`,
      apiKey: token,
      defaultHeaders: { "api-key": token, "ocp-apim-subscription-key": token },
    });
    expect(await openai.chat.completions.create(ASKED)).toMatchObject({ ok: true });
    expectSigned(["/v1/chat/completions"]);
  });

  test("a client of Gemini, which says it in x-goog-api-key, but not in the URL", async () => {
    const target = "/v1beta/models/any:generateContent";
    const refused = await fetch(`${url}${target}?key=${token}`);
    expect(refused.status).toBe(401);
    const problem = await refused.text();
    expect(JSON.parse(problem)).toMatchObject({ code: "unauthenticated" });
    expect(problem).toContain("send it as Authorization: Bearer, not in the URL");
    expect(problem).not.toContain(token);
    const headers = { "x-goog-api-key": token };
    expect((await fetch(`${url}${target}?key=${token}`, { headers })).status).toBe(401);
    expect((await fetch(`${url}${target}`, { headers })).status).toBe(200);
    expectSigned([target]);
  });

  test("no client at its socket, where none is needed, and sends the token no further (G-P4)", async () => {
    const send = (path: string, headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        httpRequest({ socketPath, path, headers }, (response) => {
          response.resume().on("end", () => resolve(response.statusCode));
        })
          .on("error", reject)
          .end();
      });
    expect(await send("/v1/models", { "api-key": "x", "x-auth-token": token })).toBe(200);
    expect(await send(`/v1/models?key=${token}`, {})).toBe(401);
    expectSigned(["/v1/models"]);
  });
});
