import { describe, expect, test } from "vitest";
import { AgentAssertionError } from "../../src/index.js";
import { AGENT_ID, header } from "../fixtures.js";
import { frameworks } from "./frameworks.js";
import { assertionOf, SceneDirectory, verifierOf } from "./scene.js";

const good = `Authorization: ${header}`;
const SECRET = "the directory's own words";

describe.each(frameworks)("$name", ({ name, start }) => {
  async function setUp() {
    const directory = new SceneDirectory();
    const errors: unknown[] = [];
    const site = await start({
      verifier: verifierOf(directory),
      onError: (error) => errors.push(error),
    });
    return { directory, errors, site };
  }

  test.each<[string, string, readonly string[]]>([
    ["no assertion", "missing", []],
    ["a bearer token", "missing", ["Authorization: Bearer x"]],
    ["two assertions", "malformed", [good, good]],
    ["a bearer token before an assertion", "malformed", ["Authorization: Bearer x", good]],
    ["a bearer token after an assertion", "malformed", [good, "authorization: Bearer x"]],
    ["two assertions in one line", "malformed", [`${good}, ${header}`]],
    ["a revoked task", "task_revoked", [`Authorization: ${assertionOf("task-revoked")}`]],
  ])("refuses %s with %s (G-M2, G-M3)", async (_, code, lines) => {
    const { site, errors } = await setUp();
    const answer = await site.exchange({ lines });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe(`AgentAssertion error="${code}"`);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(Date.parse(answer.headers.get("date") ?? "")).toBeGreaterThan(0);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 401, code, title: "Unauthorized" });
    expect(site.handled()).toBe(0);
    expect(errors).toEqual([]);
  });

  test.each<[string, number, string, readonly string[]]>([
    ["a wrong assertion", 401, "task_revoked", [`Authorization: ${assertionOf("task-revoked")}`]],
    ["two assertions", 401, "malformed", [good, good]],
    ["a bearer token beside an assertion", 401, "malformed", ["Authorization: Bearer x", good]],
    ["a wrong one that looks like another", 401, "malformed", ["Authorization: agentassertion x"]],
    [
      "a bearer token and an assertion in one line",
      401,
      "malformed",
      [`Authorization: Bearer x,${header}`],
    ],
    ["an assertion after a comma", 401, "malformed", [`Authorization: ,${header}`]],
    ["no Authorization", 200, "none", []],
    ["a bearer token", 200, "none", ["Authorization: Bearer x"]],
    ["an assertion that holds", 200, AGENT_ID, [good]],
  ])("with onMissing pass answers %s with %i %s (G-M10)", async (_, status, seen, lines) => {
    const site = await start({ verifier: verifierOf(new SceneDirectory()), onMissing: "pass" });
    const answer = await site.exchange({ lines });
    const { code, agent } = JSON.parse(answer.body);
    expect([answer.status, code ?? agent]).toEqual([status, seen]);
    expect(site.handled()).toBe(status === 200 ? 1 : 0);
  });

  test("with onMissing pass refuses no assertion where a narrower check asks for one, and 503 stays 503 (G-M10)", async () => {
    const directory = new SceneDirectory();
    const site = await start({ verifier: verifierOf(directory), onMissing: "pass" });
    const narrow = await site.exchange({ target: "/admin" });
    expect([narrow.status, JSON.parse(narrow.body).code]).toEqual([401, "missing"]);
    directory.failure = new AgentAssertionError("unreachable", SECRET);
    expect((await site.exchange({ lines: [good] })).status).toBe(503);
    expect(site.handled()).toBe(0);
  });

  test("keeps what was said before of the answer, but not of another body (G-M3)", async () => {
    const { site } = await setUp();
    const { headers } = await site.exchange({});
    for (const field of ["etag", "content-encoding"]) expect(headers.has(field)).toBe(false);
    const isFramework = !/node|connect/.test(name) || name.startsWith("Hono");
    const allowed = isFramework ? "https://page.example" : undefined;
    expect(headers.get("access-control-allow-origin")).toBe(allowed);
  });

  test.each(["HEAD", "OPTIONS", "DELETE"])("refuses %s as any other method", async (method) => {
    const { site } = await setUp();
    const answer = await site.exchange({ method });
    expect(answer.status).toBe(401);
    expect(answer.body === "").toBe(method === "HEAD");
    expect(answer.headers.get("www-authenticate")).toContain("missing");
  });

  test("gives the agent to the handler", async () => {
    const { site } = await setUp();
    const answer = await site.exchange({ target: "/v1/x?y", lines: [good] });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ agent: AGENT_ID, bytes: 0 });
    expect(site.handled()).toBe(1);
  });

  test("refuses what a narrower check does not allow", async () => {
    const { site } = await setUp();
    const answer = await site.exchange({ target: "/admin", lines: [good] });
    expect(answer.status).toBe(403);
    expect(answer.headers.has("www-authenticate")).toBe(false);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "forbidden" });
    expect(site.handled()).toBe(0);
  });

  test("answers 503 without details while the directory cannot answer, and calls the hook (G-M4)", async () => {
    const { site, directory, errors } = await setUp();
    directory.failure = new AgentAssertionError("unreachable", SECRET, { hint: SECRET });
    const answer = await site.exchange({ lines: [good] });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(JSON.parse(answer.body)).toMatchObject({ code: "server_error", status: 503 });
    expect(answer.body).not.toContain(SECRET);
    expect(errors).toEqual([directory.failure]);
    expect(site.handled()).toBe(0);
    directory.failure = undefined;
    expect((await site.exchange({ lines: [good] })).status).toBe(200);
  });

  test("answers although its hook throws", async () => {
    const warned = new Promise((resolve) => process.once("warning", resolve));
    const directory = new SceneDirectory();
    directory.failure = new Error(SECRET);
    const onError = (): never => {
      throw new Error("the hook's fault");
    };
    const site = await start({ verifier: verifierOf(directory), onError });
    const answer = await site.exchange({ lines: [good] });
    expect(answer.status).toBe(503);
    expect(await warned).toMatchObject({ message: "the hook's fault" });
  });
});
