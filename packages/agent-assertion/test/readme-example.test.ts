import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { runProcess, startTestUpstream } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { createDirectoryRecord } from "../src/index.js";
import { AssertionSigner } from "../src/sign.js";
import { createClient } from "./examples/client.js";
import { createApi } from "./examples/server.js";
import { agent, task } from "./fixtures.js";
import { first, ScriptedSource } from "./signed-fetch.js";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

// The server of the README, on a free port, before an authority that knows one agent and one task.
async function startExample() {
  const authority = await startTestUpstream(() => ({ body: createDirectoryRecord(agent, task) }));
  const server = createApi(authority.url);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    authority,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await authority.close();
    },
  };
}

async function exchange(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(
    ["GET / HTTP/1.1", "Host: localhost", "Connection: close", ...lines, "", ""].join("\r\n"),
  );
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe("the README", () => {
  test.each(["server", "client"])("shows the %s that is run here", (name) => {
    const program = read(`./examples/${name}.ts`)
      .replaceAll('"../../src/index.js"', '"@countersign/agent-assertion"')
      .replaceAll(/"\.\.\/\.\.\/src\/(.+)\.js"/g, '"@countersign/agent-assertion/$1"');
    expect(read("../README.md")).toContain(`\`\`\`ts\n${program}\`\`\``);
  });

  test("has a client whose requests its server accepts", async () => {
    await using example = await startExample();
    const api = createClient(new ScriptedSource(), example.origin);
    const response = await api(example.origin);
    expect(await response.text()).toBe("agent-1 of acct-1 in task-1\n");
  });

  test("has a server that rejects with a problem", async () => {
    await using example = await startExample();
    const response = await fetch(example.origin);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('AgentAssertion error="missing"');
    expect(await response.json()).toMatchObject({ code: "missing", status: 401 });
  });

  test("has a server that does not take the first of two Authorization fields", async () => {
    await using example = await startExample();
    const good = `Authorization: ${new AssertionSigner().header(first)}`;
    expect(await exchange(example.port, [good])).toContain("200 OK");
    for (const other of ["Authorization: Bearer x", good]) {
      expect(await exchange(example.port, [good, other])).toContain('error="malformed"');
    }
  });

  test("has a server that answers 503 while the authority cannot be asked", async () => {
    await using example = await startExample();
    await example.authority.close();
    const api = createClient(new ScriptedSource(), example.origin);
    const response = await api(example.origin);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "server_error" });
  });
});

test("the replay store of docs/verifying.md keeps its contract, by the runner of Node", async () => {
  const program = new URL("examples/own-replay-store.ts", import.meta.url);
  expect(read("../../../docs/verifying.md")).toContain(read("examples/own-replay-store.ts").trim());
  const { code, stdout } = await runProcess(process.execPath, [fileURLToPath(program)]);
  expect(stdout).toContain("refuses what was spent before it was opened");
  expect(stdout).toMatch(/^\S+ pass [1-9]\d*$/m);
  expect({ code, failed: /^\S+ fail (\d+)$/m.exec(stdout)?.[1] }).toEqual({ code: 0, failed: "0" });
});
