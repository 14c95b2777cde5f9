import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { findProgram, startProcess, type TestProcess } from "@countersign/testing";
import { openDirectory } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { listen, serve, startWorld } from "./world.js";

const NGINX = findProgram("nginx");
if (NGINX === undefined) {
  console.warn(
    "skipped: the example of nginx: it is not installed (Debian: apt-get install nginx)",
  );
}
const CLI = new URL("dist/bin.js", import.meta.resolve("@countersign/cli/package.json"));
const CONF = readFileSync(new URL("../nginx/nginx.conf", import.meta.url), "utf8");
const TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

async function run(command: string, args: readonly string[]): Promise<TestProcess> {
  const HOME = await openDirectory();
  const running = await startProcess(command, args, { env: { HOME } });
  onTestFinished(() => running[Symbol.asyncDispose]());
  return running;
}

/** Starts the authorizer by the command that the example names, on a free port. @returns its host and port */
async function startAuthorizer(authority: string): Promise<string> {
  const [, named = ""] = /^#\s+countersign (.*)$/m.exec(CONF) ?? [];
  const command = named.replace("127.0.0.1:4702", "127.0.0.1:0");
  const args = command.replace("http://127.0.0.1:4600", authority).split(" ");
  const running = await run(process.execPath, [fileURLToPath(CLI), ...args]);
  const [, host = ""] = await running.waitForLine(/listening on http:\/\/(\S+)/);
  return host;
}

/** Starts nginx with the example, on a Unix socket, since it takes no free port; and a port that leads there. @returns the origin */
async function startNginx(authorizer: string, api: string): Promise<string> {
  const folder = await openDirectory();
  const socket = join(folder, "nginx.sock");
  const own = [
    ...TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`),
    "access_log off;",
  ];
  const places = {
    "127.0.0.1:4700": `unix:${socket}`,
    "127.0.0.1:4702": authorizer,
    "127.0.0.1:4800": new URL(api).host,
    "http {": `http { ${own.join(" ")}`,
  };
  const conf = Object.entries(places).reduce((text, [from, to]) => text.replaceAll(from, to), CONF);
  const file = join(folder, "nginx.conf");
  await writeFile(file, conf);
  const global = `daemon off; master_process off; pid ${folder}/pid; error_log stderr notice;`;
  const running = await run(NGINX ?? "", ["-e", "stderr", "-p", folder, "-c", file, "-g", global]);
  // The first notice comes after the sockets are open.
  await running.waitForLine(/\[notice\].*: nginx\//);
  const port = createServer((client) => {
    const inner = connect(socket);
    client.pipe(inner).pipe(client);
    for (const end of [client, inner]) end.on("error", () => {});
    client.on("close", () => inner.destroy());
  });
  onTestFinished(() => void port.close());
  return await listen(port);
}

/** The example in front of an API that answers what nginx says of its caller. */
async function start() {
  const world = await startWorld();
  let asked = 0;
  const api = await serve(({ headers }, response) => {
    asked += 1;
    const [agent, task, account] = ["runtime", "task", "account"].map(
      (name) => headers[`x-agent-${name}-id`],
    );
    response.end(JSON.stringify({ agent, task, account, authorization: headers.authorization }));
  });
  const origin = await startNginx(await startAuthorizer(world.authority), api);
  const signed = withAssertion(fetch, world.thread, { origins: [origin] });
  return { ...world, origin, signed, asked: () => asked };
}

test("the example is the recipe of docs/authorize.md", () => {
  const document = readFileSync(new URL("../../docs/authorize.md", import.meta.url), "utf8");
  const [, recipe = ""] = /^```nginx\n(.*?)^```$/ms.exec(document) ?? [];
  const placed = recipe
    .replace("listen 443 ssl;", "listen 127.0.0.1:4700;")
    .replace("127.0.0.1:8080", "127.0.0.1:4800")
    .replace(/^(?=.)/gm, "    ");
  expect(placed.length).toBeGreaterThan(1000);
  expect(CONF).toContain(placed);
});

describe.skipIf(NGINX === undefined)("nginx/nginx.conf", () => {
  test("refuses a request without an assertion, and one that names an agent itself", async () => {
    const { origin, signed, asked } = await start();
    const refused = await fetch(origin);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toBe('AgentAssertion error="missing"');
    const headers = { "x-agent-account-id": "acct-2" };
    expect((await signed(origin, { headers })).status).toBe(403);
    expect(asked()).toBe(0);
  });

  test("hands a signed request on with the ids of its agent, and without the assertion", async () => {
    const { origin, signed, registry } = await start();
    const answer = await signed(`${origin}/v1/x`, { method: "POST", body: "hello" });
    const [task] = await registry.listTasks();
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { agent: task?.agentRuntimeId, task: task?.taskId, account: "acct-1" },
    ]);
  });

  test("answers 503 while the authority cannot be asked", async () => {
    const { origin, signed, thread, endAuthority, asked } = await start();
    await thread.credential();
    await endAuthority();
    const answer = await signed(origin);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(asked()).toBe(0);
  });
});
