import { describe, expect, test } from "vitest";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startSigningProxy, type TestSigningProxy, TOKEN } from "./start-signing-proxy.js";
import { base64, ENCODINGS, percent, showsToken } from "./token-traces.js";

const BEARER = `Authorization: Bearer ${TOKEN}`;
const PROTOCOL = `Sec-WebSocket-Protocol: openai-insecure-api-key.${TOKEN}`;
const PLACES = [
  BEARER,
  `X-Api-Key: ${TOKEN}`,
  `api-key: ${TOKEN}`,
  `x-goog-api-key: ${TOKEN}`,
  PROTOCOL,
] as const;
// The key of RFC 6455 §1.3.
const UPGRADE =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

const head = ({ host }: TestSigningProxy, lines: readonly string[], target = "/v1"): string =>
  `${[`GET ${target} HTTP/1.1`, `Host: ${host}`, ...lines].join("\r\n")}\r\n\r\n`;

async function start(options: Partial<Parameters<typeof startSigningProxy>[0]> = {}) {
  const upstream = await startRawUpstream();
  const signing = await startSigningProxy({ upstream: upstream.url, ...options });
  return { upstream, signing };
}

/** A request that is refused: nothing was signed or dialled, and no token is shown to the client or in the audit. */
async function expectRefused(lines: readonly string[], target?: string): Promise<string> {
  const { upstream, signing } = await start();
  const answer = await sendRaw(signing.url, head(signing, lines, target));
  await signing.proxy.close({ drainMs: 1_000 });
  expect(answer.status).toBe(401);
  expect(JSON.parse(answer.body)).toMatchObject({ code: "unauthenticated" });
  expect(signing.audit).toMatchObject([{ status: 401, code: "unauthenticated" }]);
  expect(showsToken(answer.head + answer.body + JSON.stringify(signing.audit), TOKEN)).toBe(false);
  expect(signing.source.calls).toEqual([]);
  expect(upstream.connections).toHaveLength(0);
  return JSON.parse(answer.body).detail;
}

describe("the client token is refused", () => {
  const TARGETS: readonly (readonly [string, (token: string) => string])[] = [
    ["in the query", (token) => `/v1?key=${token}`],
    ["in the path", (token) => `/v1/${token}/x`],
    ["in the query, percent-encoded", (token) => `/v1?a=b&key=${percent(token)}`],
    [
      "in the path, percent-encoded in part",
      (token) => `/v1/${percent(token[0] ?? "")}${token.slice(1)}`,
    ],
    [
      "in the query, percent-encoded four times",
      (token) => `/v1?${percent(percent(percent(percent(token))))}`,
    ],
    ["in the query, in base64", (token) => `/v1?auth=${base64(`x:${token}`)}`],
    ["in the path, beyond what is audited", (token) => `/${"x".repeat(2_040)}${token}`],
  ];

  test.each(TARGETS)("%s, whatever stands in the fields (G-P4)", async (_, target) => {
    for (const lines of [[], [BEARER], [`api-key: ${TOKEN}`], [`X-Api-Key: ${"k".repeat(16)}`]]) {
      expect(await expectRefused(lines, target(TOKEN))).toMatch(
        /Authorization: Bearer, not in the URL|not the client/,
      );
    }
  });

  test("in the query of a WebSocket handshake", async () => {
    await expectRefused([UPGRADE, BEARER], `/v1?key=${TOKEN}`);
  });

  test("beside a wrong credential in another place, in either order", async () => {
    for (const right of PLACES) {
      for (const place of PLACES) {
        if (place === right) continue;
        const wrong = place.replace(TOKEN, `${TOKEN}x`);
        await expectRefused([right, wrong]);
        await expectRefused([wrong, right]);
      }
    }
  });

  test("in the same place twice", async () => {
    for (const place of PLACES) await expectRefused([place, place]);
    await expectRefused([`${PROTOCOL}, openai-insecure-api-key.${TOKEN}`]);
  });

  test.each([
    ["in another field", `X-Auth-Token: ${TOKEN}`],
    ["as a subprotocol of its own", `Sec-WebSocket-Protocol: ${TOKEN}`],
    ["under another case of its subprotocol", PROTOCOL.replace("openai", "OpenAI")],
    ["in Basic credentials", `Authorization: Basic ${base64(`me:${TOKEN}`)}`],
    ["behind a scheme in api-key", `api-key: Bearer ${TOKEN}`],
    ["percent-encoded in x-goog-api-key", `x-goog-api-key: ${percent(TOKEN)}`],
  ])("%s alone", async (_, line) => {
    await expectRefused([line]);
  });

  test("as the key of a WebSocket handshake", async () => {
    const clientToken = "sixteen-visible.";
    const { upstream, signing } = await start({ clientToken });
    const key = UPGRADE.replace(/Key: .*/, `Key: ${base64(clientToken)}`);
    const lines = [key, `Authorization: Bearer ${clientToken}`];
    const answer = await sendRaw(signing.url, head(signing, lines));
    expect(JSON.parse(answer.body)).toMatchObject({ code: "unauthenticated", status: 401 });
    expect(upstream.connections).toHaveLength(0);
  });
});

test("the client token is not in the audit of a request that was sent behind another", async () => {
  const upstream = await startRawUpstream("");
  const signing = await startSigningProxy({ upstream: upstream.url });
  const client = await connectRaw(signing.url);
  client.send(head(signing, [BEARER]));
  await (await upstream.connection(0)).bytes.until("\r\n\r\n");
  client.send(head(signing, [BEARER, UPGRADE], `/${TOKEN}`));
  await client.bytes.closed;
  await signing.proxy.close();
  expect(signing.audit).toMatchObject([{ path: "", status: 400 }, { path: "/v1" }]);
});

describe("the upstream never reads the client token (G-P4)", () => {
  async function seenOf(signing: TestSigningProxy, text: string): Promise<void> {
    expect(await sendRaw(signing.url, text)).toMatchObject({ status: 200 });
  }

  test.each([...PLACES.map((place) => [place]), PLACES])(
    "from where it is taken: %j",
    async (...lines) => {
      const { upstream, signing } = await start();
      await seenOf(signing, head(signing, ["X-Own: 1", ...lines]));
      const { text } = (await upstream.connection(0)).bytes;
      expect(text).toContain("\r\nX-Own: 1\r\n");
      expect(text.match(/^authorization: AgentAssertion /gim)).toHaveLength(1);
      expect(text).not.toMatch(/api.key|sec-websocket/i);
      expect(showsToken(text, TOKEN)).toBe(false);
    },
  );

  const FORWARDED = [
    "ocp-apim-subscription-key",
    "x-litellm-api-key",
    "cf-aig-authorization",
    "x-auth-token",
    "api-key",
  ];
  const NAMES = [
    ...FORWARDED,
    "X-Anything",
    "Cookie",
    "Referer",
    "session_id",
    "Connection",
    "Trailer",
  ];
  describe.each(NAMES)("in %s", (name) => {
    test.each(ENCODINGS)("%s", async (_, encode) => {
      const forwardHeaders = FORWARDED.includes(name) ? [name] : [];
      const { upstream, signing } = await start({ forwardCookies: true, forwardHeaders });
      const lines = [BEARER, "X-Own: 1", `${name}: ${encode(TOKEN)}`, "X-Other: 2"];
      await seenOf(signing, head(signing, lines));
      const { text } = (await upstream.connection(0)).bytes;
      expect(text).toContain("\r\nX-Own: 1\r\nX-Other: 2\r\n");
      expect(showsToken(text, TOKEN)).toBe(false);
    });
  });

  test("in a field's name, or in the thread that the source is asked for", async () => {
    const { upstream, signing } = await start();
    const lines = [BEARER, `X-${TOKEN}: 1`, `${TOKEN.toUpperCase()}: 1`, `X-Thread-Id: ${TOKEN}`];
    await seenOf(signing, head(signing, lines));
    expect(showsToken((await upstream.connection(0)).bytes.text, TOKEN)).toBe(false);
    expect(signing.threads).toEqual([undefined]);
  });

  test("in a digest that is signed", async () => {
    const { upstream, signing } = await start({ binding: true });
    const lines = [BEARER, `Content-Digest: sha-256=:${base64(TOKEN)}:`];
    await seenOf(signing, head(signing, lines));
    expect(showsToken((await upstream.connection(0)).bytes.text, TOKEN)).toBe(false);
  });

  test.each(ENCODINGS)("in a trailer, %s (G-P4)", async (_, encode) => {
    const upstream = await startRawUpstream("");
    const signing = await startSigningProxy({ upstream: upstream.url });
    const client = await connectRaw(signing.url);
    const lines = `Transfer-Encoding: chunked\r\nTrailer: X-Sum, X-${TOKEN}\r\n`;
    const trailers = `X-Trace: ${encode(TOKEN)}\r\nX-${TOKEN}: 1\r\napi-key: x\r\nX-Sum: 9\r\n`;
    client.send(`${signing.request("POST", "/v1", lines)}3\r\nabc\r\n0\r\n${trailers}\r\n`);
    const { bytes } = await upstream.connection(0);
    const seen = await bytes.until("0\r\nX-Sum: 9\r\n\r\n");
    expect(showsToken(seen, TOKEN)).toBe(false);
    expect(seen).not.toMatch(/api-key/i);
  });

  test("in a request that is sent again after a 401", async () => {
    const upstream = await startRawUpstream("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n");
    const signing = await startSigningProxy({ upstream: upstream.url });
    signing.source.next = signing.source.current;
    const client = await connectRaw(signing.url);
    client.send(head(signing, [BEARER, `X-Auth-Token: ${TOKEN}`, "Connection: close"]));
    const { bytes } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    await client.bytes.until("\r\n\r\n");
    expect(signing.source.refusals).toHaveLength(1);
    for (const connection of upstream.connections) {
      expect(showsToken(connection.bytes.text, TOKEN)).toBe(false);
    }
  });

  test("which a client of its Unix socket or of an open proxy has no use for: key fields end there too", async () => {
    const { upstream, signing } = await start({ clientToken: "open" });
    const lines = PLACES.filter((line) => line !== PROTOCOL);
    await seenOf(signing, head(signing, lines));
    expect(showsToken((await upstream.connection(0)).bytes.text, TOKEN)).toBe(false);
  });
});

test("a field of keys that the operator forwards is the upstream's: it is no place for the token", async () => {
  const { upstream, signing } = await start({ forwardHeaders: ["api-key", "x-goog-api-key"] });
  const alone = await sendRaw(signing.url, head(signing, [`api-key: ${TOKEN}`]));
  expect(alone).toMatchObject({ status: 401 });
  const lines = [BEARER, "api-key: own-1", `x-goog-api-key: ${TOKEN}`];
  expect(await sendRaw(signing.url, head(signing, lines))).toMatchObject({ status: 200 });
  const { text } = (await upstream.connection(0)).bytes;
  expect(text).toContain("\r\napi-key: own-1\r\n");
  expect(showsToken(text, TOKEN)).toBe(false);
});

test("what only resembles the client token passes as it came", async () => {
  const { upstream, signing } = await start();
  const lines = [`X-Near: ${TOKEN.slice(1)}`, `X-Own: ${base64("x".repeat(60))}`];
  const target = `/v1/a%2525b?key=${TOKEN.slice(0, -1)}`;
  const client = await connectRaw(signing.url);
  client.send(head(signing, [BEARER, ...lines], target));
  expect(await readAnswer(client)).toMatchObject({ status: 200 });
  const { text } = (await upstream.connection(0)).bytes;
  expect(text).toContain(`GET ${target} HTTP/1.1\r\n`);
  expect(text).toContain(`\r\n${lines.join("\r\n")}\r\n`);
});

test("another client token ends the former one, and one that is not valid changes nothing", async () => {
  const upstream = await startRawUpstream(OK.replace("\r\n", "\r\nconnection: close\r\n"));
  const signing = await startSigningProxy({ upstream: upstream.url });
  const other = "another-token-0123456789";
  const statusWith = async (token: string) =>
    (await sendRaw(signing.url, head(signing, [`Authorization: Bearer ${token}`]))).status;
  expect(() => signing.proxy.setClientToken("open")).toThrow(/clientToken/);
  expect(await statusWith(TOKEN)).toBe(200);
  signing.proxy.setClientToken(other);
  expect(await statusWith(TOKEN)).toBe(401);
  expect(await statusWith(other)).toBe(200);
});
