import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { signAssertion } from "@countersign/agent-assertion/sign";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { output, storeLogin } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, type StartedServer, serverWorld } from "./servers.js";

const SECRET = "qNzPb5yY2mF3xR8tV1wK7sJ4hD6gL0aE9cU1iO2uT5k";
const NOW = formatTimestamp(Date.now());
const key = AgentKey.generate();

// One of each kind, as a client may put it where an id or a path belongs.
const credentials: readonly string[] = [
  ...["human", "rs", "read", "audit", "stop", "operate", "limited_operate", "biscuit"].map(
    (kind) => `cs_${kind}_${SECRET}`,
  ),
  `eyJhbGciOiJFZERTQSJ9.${SECRET}.${SECRET}`,
  `sk-proj-${SECRET}`,
  `Bearer ${SECRET}`,
  signAssertion({ agentRuntimeId: "agent_1", taskId: "task_1", key, timestamp: NOW }),
  key.exportPkcs8(),
];

const percentEncoded = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

const canaries = credentials.flatMap((credential) => [
  encodeURIComponent(credential),
  percentEncoded(credential),
  Buffer.from(credential).toString("base64url"),
]);

// What must stand nowhere: the credentials as they are, and the middle of each form that was sent.
const traces = [...credentials, ...canaries].map((text) => {
  const middle = Math.floor(text.length / 2);
  return text.slice(middle - 10, middle + 10);
});

/** Sends bytes that no client library would, and gives the answers. */
async function sendRaw(url: string, requests: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const answers: Buffer[] = [];
  for (const text of requests) {
    const socket = connect(Number(port), hostname);
    socket.on("data", (chunk) => answers.push(chunk));
    socket.write(text);
    await once(socket, "close");
  }
  return Buffer.concat(answers).toString("latin1");
}

/** Requests with a canary in the path, as an id in it, in the query, and in each field that is kept anywhere. */
function requestsWith(url: string, canary: string, fields: readonly string[] = []): string[] {
  const raw = decodeURIComponent(canary);
  const lines = [
    `Host: ${new URL(url).host}`,
    "Connection: close",
    `User-Agent: agent/${raw}`,
    `X-Request-Id: ${raw}`,
    ...fields,
  ];
  const body = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
  const head = (method: string, target: string) =>
    [`${method} ${target} HTTP/1.1`, ...lines, ""].join("\r\n");
  return [
    `${head("GET", `/${canary}/x?access_token=${canary}`)}\r\n`,
    `${head("GET", `/v1/agent/${canary}/task/${canary}`)}\r\n`,
    head("POST", `/v1/agent/${canary}/task/register?x=${canary}`) + body,
    head("POST", `/backend-api/v1/agent/${canary}/key`) + body,
    head("POST", `/v1/agent/${canary}/revoke`) + body,
    `${head("BREW", `/${canary}`)}\r\n`,
  ];
}

function expectNone(sink: string, content: string): void {
  for (const trace of traces) expect(content.includes(trace), `${sink} has ${trace}`).toBe(false);
}

// The database with its journal, audit files, homes; but not what is there to hold a credential.
function expectNoneInFiles(folder: string): string[] {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter(
    (entry) => entry.isFile() && entry.name !== "credentials.json",
  );
  for (const { parentPath, name } of files) {
    expectNone(name, readFileSync(join(parentPath, name), "latin1"));
  }
  return files.map(({ name }) => name);
}

const operationsOf = async ({ process }: StartedServer) =>
  (await process.waitForLine(/operations(?: on |":")(http:[^"\s]+)/))[1] ?? "";

/** Ends a server. @returns what it said on stderr */
async function expectNoneOf(server: StartedServer, operations: string): Promise<string> {
  expectNone("the figures", await (await fetch(`${operations}/metrics`)).text());
  server.process.kill("SIGTERM");
  const { code, stdout, stderr } = await server.process.exited;
  expect(code, stderr).toBe(0);
  expectNone("stdout", stdout);
  expectNone("stderr", stderr);
  return stderr;
}

test("a credential in a path, an id, a query or a field of a request stands in no sink of any server (G-A41)", async () => {
  const world: ServerWorld = await serverWorld();
  const { folder, home, upstream, onDatabase } = world;
  const operations = ["--operations-listen", "127.0.0.1:0"];
  const authority = await world.serve(["--log-level", "debug", ...operations]);
  const audit = (name: string) => ["--audit", join(folder.path, `${name}.jsonl`)];
  const to = ["--listen", "127.0.0.1:0", "--upstream", upstream.url];
  const gateway = await world.start([
    ...["gateway", ...to, "--authority", authority.url, ...operations, ...audit("gateway")],
  ]);
  // A human that the authority does not know: each thread fails, and the proxy says which.
  await storeLogin(home, { authority: authority.url, accessToken: "unknown-token" });
  const proxy = await world.start(
    [
      ...["proxy", ...to, "--open", "--thread-header", "x-thread", ...operations],
      ...audit("proxy"),
    ],
    FEATURE_ON,
  );

  for (const canary of canaries) {
    // As long as an id may be.
    const agentRuntimeId = decodeURIComponent(canary)
      .replaceAll(" ", "+")
      .replaceAll("/", "_")
      .slice(0, 256);
    const timestamp = formatTimestamp(Date.now());
    const assertion = signAssertion({ agentRuntimeId, taskId: agentRuntimeId, key, timestamp });
    const answers = [
      await sendRaw(authority.url, requestsWith(authority.url, canary)),
      await sendRaw(
        gateway.url,
        requestsWith(gateway.url, canary, [`Authorization: ${assertion}`]),
      ),
      await sendRaw(proxy.url, requestsWith(proxy.url, canary, [`X-Thread: ${agentRuntimeId}`])),
    ];
    expectNone("an answer", answers.join(""));
  }

  const [ofAuthority, ofGateway, ofProxy] = [
    await operationsOf(authority),
    await operationsOf(gateway),
    await operationsOf(proxy),
  ];
  // Also what the journal of the database holds while it is in use.
  const names = ["authority.db", "authority.db-wal", "gateway.jsonl", "proxy.jsonl"];
  expect(expectNoneInFiles(folder.path)).toEqual(expect.arrayContaining(names));
  expect(await expectNoneOf(proxy, ofProxy)).toContain("no task for the thread [hidden]");
  await expectNoneOf(gateway, ofGateway);
  const events = await output(
    ["authority", "audit", "tail", "--limit", "500", "--json", ...onDatabase],
    { home },
  );
  expectNone("audit tail", events);
  expect(events).toContain('"claimed_agent_runtime_id":"[hidden]"');
  await expectNoneOf(authority, ofAuthority);
  expectNoneInFiles(folder.path);
  for (const name of ["gateway", "proxy"]) {
    const entries = readFileSync(join(folder.path, `${name}.jsonl`), "utf8");
    expect(entries).toContain('"path":"/v1/agent/[hidden]/revoke"');
  }
});
