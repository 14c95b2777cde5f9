import { signAssertion } from "@countersign/agent-assertion/sign";
import { AgentKey } from "@countersign/agent-key";
import { describe, expect, test } from "vitest";
import { CliError } from "../text/cli-error.js";
import { findTermsOf } from "./find-terms.js";

const AGENT = "agent_01890000-0000-7000-8000-000000000001";
const TASK = "task_01890000-0000-7000-8000-000000000002";
const KEY = AgentKey.generate();
const HEADER = signAssertion({
  agentRuntimeId: AGENT,
  taskId: TASK,
  key: KEY,
  timestamp: "2026-04-15T12:00:00Z",
});
const TOKEN = HEADER.split(" ")[1] ?? "";

describe("a text that cannot be searched for is refused, and is not in the error", () => {
  test.each([
    ["nothing", " \n "],
    ["a control character", "agent_\u001b[31m"],
    ["a bearer token", "Authorization: Bearer s3cr3t-s3cr3t-s3cr3t"],
    ["a token of this project", "cs_human_s3cr3ts3cr3ts3cr3t"],
    ["a JWT", "eyJhbGciOiJzM2NyM3QifQ.eyJzM2NyM3QiOjF9.c2lnbmF0dXJl"],
    ["a signature", `s3cr3t${KEY.signText("x").slice(6)}`],
    ["a signature without padding", `s3cr3t${KEY.signText("x").slice(6, 86)}`],
    ["half an assertion", `AgentAssertion ${TOKEN.slice(0, 40)}`],
    ["a log line without an id", `${"203.0.113.7 - - GET /v1/responses 200 ".repeat(3)}`],
  ])("%s", (_, text) => {
    let thrown: unknown;
    try {
      findTermsOf(text);
    } catch (error) {
      thrown = error;
    }
    expect(CliError.is(thrown) && thrown.code).toBe("usage");
    expect(String(thrown)).not.toMatch(/s3cr3t|c2lnbmF0dXJl|eyJ/);
  });
});

const textsOf = (text: string) => findTermsOf(text).map(({ texts }) => texts);

describe("what is searched for is", () => {
  test.each([
    ["an id as it is", ` ${TASK}\n`, [TASK]],
    ["a user with a slash", "github/octo", ["github/octo"]],
    ["a name of several words", "nightly build 7", ["nightly build 7"]],
    ["task and agent of an assertion", HEADER, [TASK, AGENT]],
    ["the same of a whole header", `authorization: ${HEADER}`, [TASK, AGENT]],
    ["the same of the bare value", TOKEN, [TASK, AGENT]],
    ["the key of a line with a comment", `${KEY.publicKey.line} me@here`, [KEY.publicKey.line]],
    ["the key of its base64", KEY.publicKey.line.split(" ")[1] ?? "", [KEY.publicKey.line]],
    [
      "task and agent of a line of the gateway's audit file",
      JSON.stringify({
        time: "x",
        path: "/a",
        agent_runtime_id: AGENT,
        task_id: TASK,
        account_id: "a",
      }),
      [AGENT, TASK],
    ],
    [
      "the task of an event of the audit log",
      `7 2026-01-01T00:00:00Z task_registered task_id=${TASK}`,
      [TASK],
    ],
    [
      "the agent of an event, and not what an operator wrote in it",
      `7 2026-01-01T00:00:00Z agent_revoked actor_name="a \\" task_id=${TASK}" agent_runtime_id=${AGENT} reason="x task_id=${TASK}"`,
      [AGENT],
    ],
    ["a quoted value", `level=info task_id="${TASK}" msg="of an agent"`, [TASK]],
    ["the request of a header", "X-Request-Id: req-1", ["req-1"]],
    ["the ids of another line", `GET /tasks/${TASK}?agent=${AGENT} 200`, [TASK, AGENT]],
    [
      "the address of a line that has no more",
      JSON.stringify({ address: "192.0.2.1" }),
      ["192.0.2.1"],
    ],
  ])("%s", (_, text, terms) => {
    expect(textsOf(text)).toEqual([terms]);
  });

  test("of a line of a log without a task its request, or if that is not known its address", () => {
    const line = { level: "info", request_id: "req-1", address: "203.0.113.7" };
    const terms = [["req-1"], ["203.0.113.7"]];
    expect(textsOf(JSON.stringify(line))).toEqual(terms);
    expect(textsOf(`2026-04-15T12:00:00Z stdout F ${JSON.stringify(line)}`)).toEqual(terms);
  });

  test("in a line of JSON nothing that its client wrote (G-G20)", () => {
    const said = { path: `/v1?task_id=${TASK}`, user_agent: `x task_id=${TASK} ${HEADER}` };
    const line = JSON.stringify({ request_id: "req-1", agent_runtime_id: AGENT, ...said });
    expect(textsOf(line)).toEqual([[AGENT]]);
    const unproven = JSON.stringify({ request_id: "req-1", ...said });
    expect(textsOf(unproven)).toEqual([["req-1"]]);
  });

  const spoken = `{"path":"/","task_id":"${TASK}", task_id=${TASK} ${HEADER}`;
  const json = (members: object) => JSON.stringify({ ...members, user_agent: spoken });

  test.each([
    ["that was cut off", json({ request_id: "req-1", agent_runtime_id: AGENT }).slice(0, -3)],
    ["whose beginning was cut off", json({ a: "b", agent_runtime_id: AGENT }).slice(3)],
    ["among others", [json({ agent_runtime_id: AGENT }), json({})].join("\n")],
    ["with members below others", json({ payload: { agent_runtime_id: AGENT } })],
  ])("nor in a line %s (G-G20)", (_, text) => {
    expect(textsOf(text)).toEqual([[AGENT]]);
  });

  test("a line of JSON without a member to search for is refused, whatever its client wrote (G-G20)", () => {
    for (const text of [json({}), json({ a: "b" }).slice(0, -3), json({ path: `/${TASK}` })]) {
      expect(() => findTermsOf(text), text).toThrow(/no member that can be searched for/);
    }
  });

  test.each([
    ["a request id of a line", JSON.stringify({ request_id: "user-1" })],
    ["an address of a line", JSON.stringify({ address: "acct-1" })],
    ["a request id of a header", "X-Request-Id: agent_"],
  ])("%s, which a client chooses, among events alone (G-G20)", (_, text) => {
    expect(findTermsOf(text)).toMatchObject([{ among: "events" }]);
  });

  test("what an operator types, or what was verified, among everything", () => {
    for (const text of ["user-1", JSON.stringify({ request_id: "req-1", user_id: "user-1" })]) {
      expect(findTermsOf(text).at(-1)).toEqual({ texts: ["user-1"], among: "everything" });
    }
  });

  test("nothing of a signature", () => {
    const { signature } = JSON.parse(Buffer.from(TOKEN, "base64url").toString());
    expect(JSON.stringify(findTermsOf(HEADER))).not.toContain(signature);
  });
});
