import { describe, expect, test } from "vitest";
import { sendRaw } from "./raw-client.js";
import { startGateway } from "./start-gateway.js";
import { LIGHTTPD, startLighttpd } from "./start-lighttpd.js";
import { startSigningProxy } from "./start-signing-proxy.js";

if (LIGHTTPD === undefined) {
  console.warn(
    "skipped: tests with lighttpd: it is not installed (Debian: apt-get install lighttpd)",
  );
}

// Every character that a field name may have beside letters and digits (RFC 9110 §5.6.2).
const MARKS = [..."!#$%&'*+-.^_`|~"];
const VERIFIED = [
  "HTTP_X_AGENT_ACCOUNT_ID=acct-1",
  "HTTP_X_AGENT_RUNTIME_ID=agent_1",
  "HTTP_X_AGENT_TASK_ID=task_1",
];

/** What a CGI program of lighttpd is told of the agent, sorted. */
function agentIn(environment: string): string[] {
  return (environment.match(/^HTTP_X_AGENT_.*$/gm) ?? []).sort();
}

describe.skipIf(LIGHTTPD === undefined)("a CGI program of lighttpd", () => {
  const start = () => startLighttpd(LIGHTTPD ?? "");

  test("gets one variable for every spelling of a name, without a gateway", async () => {
    const upstream = await start();
    const { body } = await sendRaw(
      upstream.url,
      "GET /env.cgi HTTP/1.1\r\nHost: x\r\nX.Agent.Account.Id: acct-2\r\nX~Agent~Task~Id: task_2\r\n\r\n",
    );
    expect(agentIn(body)).toEqual([
      "HTTP_X_AGENT_ACCOUNT_ID=acct-2",
      "HTTP_X_AGENT_TASK_ID=task_2",
    ]);
  });

  test.each(MARKS)("sees only the verified agent if a client writes %s (G-G3)", async (mark) => {
    const upstream = await start();
    const gateway = await startGateway({ upstream: upstream.url });
    const names = ["X-Agent-Account-Id", "X-Agent-Runtime-Id", "X-Agent-Task-Id", "X-Agent-Any"];
    for (const name of names) {
      const spelled = name.replaceAll("-", mark);
      const request = gateway.request("GET", "/env.cgi", `${spelled}: evil\r\n`);
      const { status, body } = await sendRaw(gateway.url, request);
      expect(body).not.toContain("evil");
      if (status === 200) expect(agentIn(body)).toEqual(VERIFIED);
      else expect(JSON.parse(body)).toMatchObject({ status: 400, code: "invalid_request" });
      expect(status).toBe(/[-_]/.test(mark) ? 200 : 400);
    }
  });

  test.each(["ChatGPT.Account.ID", "X.Forwarded.For", "X.Api.Key", "CF~Connecting~IP", "Proxy"])(
    "sees nothing of a client's %s",
    async (name) => {
      const upstream = await start();
      const gateway = await startGateway({ upstream: upstream.url });
      const request = gateway.request("GET", "/env.cgi", `${name}: evil\r\n`);
      const { body } = await sendRaw(gateway.url, request);
      expect(body).not.toContain("evil");
    },
  );

  test("gets a name with a dot only where the operator named it", async () => {
    const upstream = await start();
    for (const forwardHeaders of [[], ["X.Own"]]) {
      const gateway = await startGateway({ upstream: upstream.url, forwardHeaders });
      const request = gateway.request("GET", "/env.cgi", "X.Own: own-1\r\n");
      const { status, body } = await sendRaw(gateway.url, request);
      expect(status).toBe(200);
      expect(body.includes("HTTP_X_OWN=own-1")).toBe(forwardHeaders.length === 1);
      expect(agentIn(body)).toEqual(VERIFIED);
    }
  });

  test.each([".", "~", "_", "-"])(
    "sees no agent through the signing proxy if a client writes %s",
    async (mark) => {
      const upstream = await start();
      const signing = await startSigningProxy({ upstream: upstream.url });
      const spelled = "X-Agent-Account-Id".replaceAll("-", mark);
      const request = signing.request("GET", "/env.cgi", `${spelled}: evil\r\n`);
      const { body } = await sendRaw(signing.url, request);
      expect(body).not.toContain("evil");
    },
  );
});
