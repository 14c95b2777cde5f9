import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRegistry, openStore, type TokenRole } from "@countersign/agent-authority";
import { headerOf, startTestUpstream, temporaryDirectory } from "@countersign/testing";
import { startCountersign, storeLogin } from "../command-line.js";
import { FEATURE_ON } from "../fresh-home.js";

/** What running programs show at `/metrics`. */
export interface ShownFigures {
  readonly authority: string;
  readonly gateway: string;
  readonly proxy: string;
  /** Ids, names, addresses and paths that went through them. */
  readonly sent: readonly string[];
}

const OPERATIONS = ["--operations-listen", "127.0.0.1:0"];
const LISTEN = ["--listen", "127.0.0.1:0", ...OPERATIONS];
const PATH = "/secret-path/4711";
const OWNER = { accountId: "acct-of-test", userId: "user-of-test" };

/** Starts an authority, a gateway with all that it can show, and a signing proxy, sends requests through them, and ends them. */
export async function showFigures(): Promise<ShownFigures> {
  const folder = await temporaryDirectory();
  const upstream = await startTestUpstream();
  const closers = [() => folder.remove(), () => upstream.close()];
  const home = join(folder.path, "home");
  const file = (name: string) => join(folder.path, name);
  const database = `sqlite:${file("authority.db")}`;
  const start = async (args: readonly string[], line: RegExp) => {
    const process = await startCountersign(args, { home, env: FEATURE_ON });
    closers.push(async () => await process[Symbol.asyncDispose]());
    const [, url = ""] = await process.waitForLine(/^listening on (http:\/\/\S+)$/);
    const [, operations = ""] = await process.waitForLine(line);
    return { url, metrics: async () => await (await fetch(`${operations}/metrics`)).text() };
  };
  try {
    const authority = await start(
      ["authority", "serve", ...LISTEN, "--database", database],
      /"operations":"(http:[^"]+)"/,
    );
    const [human, reader] = await createTokens(database, ["human", "resource_server"]);
    await storeLogin(home, { authority: authority.url, accessToken: human, ...OWNER });
    await writeFile(file("token"), reader ?? "", { mode: 0o600 });
    const payload = Buffer.from('{"exp":4102444800}').toString("base64url");
    await writeFile(file("key"), `Bearer e30.${payload}.c2ln`, { mode: 0o600 });
    const gateway = await start(
      [
        ...["gateway", ...LISTEN, "--upstream", upstream.url, "--audit", file("gateway.jsonl")],
        ...["--authority", authority.url, "--authority-token", `file:${file("token")}`],
        ...["--upstream-header", `X-Key: file:${file("key")}`],
      ],
      /^operations on (http:\/\/\S+)$/,
    );
    const proxy = await start(
      ["proxy", ...LISTEN, "--open", "--upstream", gateway.url, "--audit", file("proxy.jsonl")],
      /^operations on (http:\/\/\S+)$/,
    );
    await send(proxy.url + PATH, { "x-thread-id": "thread-of-test" }, 200);
    await send(gateway.url + PATH, { authorization: "AgentAssertion e30" }, 401);
    await send(authority.url + PATH, {}, 404);
    const [request] = upstream.requests;
    const of = (name: string) => (request && headerOf(request, name)) ?? "";
    return {
      authority: await untilShown(authority.metrics, /^countersign_authority_live_tasks 1$/m),
      gateway: await gateway.metrics(),
      proxy: await proxy.metrics(),
      sent: [
        ...["x-agent-runtime-id", "x-agent-task-id", "x-agent-account-id"].map(of),
        ...Object.values(OWNER),
        ...[PATH, "thread-of-test", "127.0.0.1", folder.path],
      ],
    };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function createTokens(database: string, roles: readonly TokenRole[]): Promise<string[]> {
  await using store = await openStore(database);
  const registry = createRegistry(store);
  const tokens: string[] = [];
  for (const role of roles) {
    const { token } = await registry.createAccessToken({ ...OWNER, role, ttlSeconds: 3_600 });
    tokens.push(token);
  }
  return tokens;
}

async function send(url: string, headers: Record<string, string>, expected: number) {
  const response = await fetch(url, { headers });
  const text = await response.text();
  if (response.status !== expected) throw new Error(`${url}: ${response.status} ${text}`);
}

// What the database holds is read behind the first answer.
async function untilShown(show: () => Promise<string>, pattern: RegExp): Promise<string> {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    const text = await show();
    if (pattern.test(text)) return text;
  }
  throw new Error(`${pattern} is not shown`);
}
