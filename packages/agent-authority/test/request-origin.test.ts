import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { normaliseAddress } from "@countersign/agent-assertion/client-address";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { AgentAuthorityError, type AuthorityOptions, createAuthority } from "../src/index.js";
import { openScratchStore, TestedAuthority } from "./start-authority.js";

const UUID_V7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

interface Line {
  readonly request_id: string;
  readonly address: string;
  readonly status: number;
  readonly path: string;
}

/** An authority whose log can be read. */
async function startLogged(options: Omit<AuthorityOptions, "store" | "logger"> = {}) {
  const lines: Line[] = [];
  const logger = { info: (fields: object) => lines.push(fields as Line), error: () => {} };
  const tested = await TestedAuthority.start({ ...options, logger });
  return { tested, lines };
}

async function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.end(bytes);
  return text(socket);
}

async function addressSeen(options: object, forwarded: string | string[]): Promise<string> {
  const { tested, lines } = await startLogged(options);
  await using _ = tested;
  await tested.call("GET", "/healthz", { headers: { "x-forwarded-for": forwarded } });
  await tested.authority.close();
  return lines[0]?.address ?? "";
}

describe("request ids", () => {
  it.each([
    ["none", undefined],
    ["an empty one", ""],
    ["one that is too long", "a".repeat(129)],
    ["one with a blank", "a b"],
    ["one with a quote", 'a"b'],
    ["one that is no ASCII", "\u00e4"],
    ["two", ["a", "b"]],
    ["one that is a token", `cs_human_${"A".repeat(43)}`],
    ["one with a JWT in it", `id-eyJhbGciOiJFZERTQSJ9.${"B".repeat(20)}.C`],
  ])("are made where the request brings %s", async (_name, given) => {
    await using tested = await TestedAuthority.start();
    const answer = await tested.call("GET", "/healthz", {
      headers: given === undefined ? {} : { "x-request-id": given },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers["x-request-id"]).toMatch(UUID_V7);
  });

  it("are not in the log where a credential was sent as one, nor is one in the path", async () => {
    const { tested, lines } = await startLogged();
    await using _ = tested;
    const token = await tested.token();
    await tested.call("GET", `/${token}`, { headers: { "x-request-id": token } });
    await tested.authority.close();
    expect(lines.map(({ path }) => path)).toEqual(["/[hidden]"]);
    expect(JSON.stringify(lines)).not.toContain(token);
  });

  it("are taken from the request, and come back in answers, refusals and the log", async () => {
    const { tested, lines } = await startLogged();
    await using _ = tested;
    const ids = [
      "codex-agent-identity-AAAAAAAAAAAAAAAAAAAAAA",
      "a".repeat(128),
      "1.2:3~4+5=6@7/8_9",
    ];
    for (const [index, path] of ["/healthz", "/nope", "/v1/whoami"].entries()) {
      const id = ids[index] ?? "";
      const answer = await tested.call("GET", path, { headers: { "x-request-id": id } });
      expect([answer.status, answer.headers["x-request-id"]]).toEqual([[200, 404, 401][index], id]);
    }
    await tested.authority.close();
    expect(lines.map(({ request_id }) => request_id)).toEqual(ids);
  });

  it("name what the server refuses before any route as well, and what is no HTTP", async () => {
    const { tested, lines } = await startLogged();
    await using _ = tested;
    const id = "X-Request-Id: given-1\r\n";
    const filler = Array.from({ length: 101 }, (_value, i) => `x${i}: 1\r\n`).join("");
    for (const [bytes, status, requestId] of [
      [`GET / HTTP/1.1\r\n${id}\r\n`, 400, /^given-1$/],
      [`GET / HTTP/1.1\r\nHost: x\r\n${id}${filler}\r\n`, 431, /^given-1$/],
      [`GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n${id}\r\n`, 417, /^given-1$/],
      ["no http\r\n\r\n", 400, UUID_V7],
    ] as const) {
      const answer = await sendRaw(tested.url, bytes);
      const named = /^x-request-id: (.*)$/im.exec(answer)?.[1] ?? "";
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(named).toMatch(requestId);
      await expect
        .poll(() => lines.at(-1))
        .toMatchObject({
          status,
          code: "invalid_request",
          request_id: named,
          address: "127.0.0.1",
        });
    }
    expect(lines).toHaveLength(4);
  });
});

describe("addresses", () => {
  it("come from the connection, whatever a header says, unless a proxy is trusted (G-A12)", async () => {
    expect(await addressSeen({}, "192.0.2.1")).toBe("127.0.0.1");
    expect(await addressSeen({ trustedProxies: ["10.0.0.0/8"] }, "192.0.2.1")).toBe("127.0.0.1");
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["203.0.113.9, 192.0.2.1", "192.0.2.1"],
    ["203.0.113.9, 192.0.2.1, 10.1.2.3", "192.0.2.1"],
    ["10.9.9.9, 10.1.2.3", "10.9.9.9"],
    ["192.0.2.1, unknown", "127.0.0.1"],
    ["192.0.2.1, ", "127.0.0.1"],
    ["192.0.2.1:1234", "192.0.2.1"],
    ["[2001:DB8:0::1]:1234", "2001:db8::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
  ])("come from the last that trusted proxies name: %s (G-A12)", async (forwarded, address) => {
    const trustedProxies = ["127.0.0.1", "10.0.0.0/8"];
    expect(await addressSeen({ trustedProxies }, forwarded)).toBe(address);
  });

  it("come from the last of several lines, too", async () => {
    const trustedProxies = ["127.0.0.0/8"];
    expect(await addressSeen({ trustedProxies }, ["203.0.113.9", "192.0.2.1"])).toBe("192.0.2.1");
  });

  it("come in one form each", () => {
    for (const text of ["", "x", "1.2.3", "1.2.3.4.5", ":::", "[1.2.3.4", "1.2.3.4/8", "host:80"]) {
      expect(normaliseAddress(text), text).toBeUndefined();
    }
    expect(normaliseAddress("::ffff:0102:0304")).toBe("1.2.3.4");
    expect(normaliseAddress("fe80::1%eth0")).toBe("fe80::1");
    expect(normaliseAddress("2001:0db8:0000::0001")).toBe("2001:db8::1");
    expect(normaliseAddress("::1")).toBe("::1");
  });

  it("are seen on a server of the caller's own, over IPv6 sockets as well", async () => {
    const { tested, lines } = await startLogged();
    await using _ = tested;
    const server = createServer(tested.authority.handler);
    await new Promise<void>((resolve) => server.listen(0, "::", resolve));
    const { port } = server.address() as AddressInfo;
    await sendRaw(`http://127.0.0.1:${port}`, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => server.close(resolve));
    expect(lines).toMatchObject([{ status: 200, address: "127.0.0.1" }]);
  });

  it.each([
    ["1.2.3"],
    ["10.0.0.0/33"],
    ["::/129"],
    ["10.0.0.0/"],
    ["proxy.example"],
    ["fe80::1%1"],
    [""],
  ])("cannot be trusted as %s", async (entry) => {
    await using store = await openScratchStore();
    const made = createAuthority({ store, trustedProxies: [entry] });
    await expectRejection(made, AgentAuthorityError, "config_invalid");
  });
});
