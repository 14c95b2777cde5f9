/** What {@link ANYWHERE} does with the packages, in its order. */
export const PARTS = [
  "sign",
  "verify",
  "client",
  "directory",
  "handler",
  "middleware",
  "refusal",
] as const;

/**
 * Signs and verifies, registers an agent and a task with a real authority, and verifies their assertion by its directory, in a handler of requests and
 * in Hono.
 */
export const ANYWHERE = `
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { AgentTaskManager, memoryTaskStore } from "@countersign/agent-task";
import { createVerifier, memoryDirectory, signAssertion } from "@countersign/agent-assertion";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { withAgent } from "@countersign/agent-assertion/handler";
import { agentAssertion } from "@countersign/agent-assertion/hono";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { Hono } from "hono";

const ORIGIN = "https://api.example";

function must(holds, what) {
  if (!holds) throw new Error(what);
}

async function verifyOwn(authority, done) {
  const key = AgentKey.generate();
  const timestamp = formatTimestamp(Date.now());
  const ids = { agentRuntimeId: "agent-1", taskId: "task-1" };
  const header = signAssertion({ ...ids, key, timestamp });
  done.push("sign");
  const owner = { accountId: "acct-1", userId: "user-1", capabilities: [] };
  const directory = memoryDirectory({
    authority,
    agents: [{ ...ids, ...owner, publicKeys: [key.publicKey], state: "active" }],
    tasks: [{ ...ids, state: "active" }],
  });
  const { taskId } = await createVerifier({ directory }).verify(header);
  must(taskId === "task-1", "another task was verified");
  done.push("verify");
}

async function register(authority, accessToken, done) {
  const human = { kind: "human", accountId: "acct-1", userId: "user-1", accessToken };
  const features = { isEnabled: () => true };
  const auth = fixedAuth(human);
  const identities = new AgentIdentityManager({ authority, auth, store: memoryStore(), features });
  const tasks = new AgentTaskManager({ identities, store: memoryTaskStore() });
  const thread = tasks.thread("thread-1");
  let assertion;
  const keep = async (_, init) => {
    assertion = new Headers(init.headers).get("authorization");
    return new Response("ok");
  };
  await thread.run(() => withAssertion(keep, thread, { origins: [ORIGIN] })(ORIGIN));
  await tasks.close();
  await identities.close();
  done.push("client");
  return assertion;
}

/** What a server makes once, when it starts. */
export function prepare({ authority, serverToken }) {
  const directory = remoteDirectory(authority, { token: serverToken });
  const verifier = createVerifier({ directory });
  const handler = withAgent(verifier, (_, agent) => new Response(agent.taskId));
  const app = new Hono();
  app.use(agentAssertion({ verifier }));
  app.get("/", (context) => context.text(context.get("agent").taskId));
  return { directory, verifier, handler, app };
}

export async function anywhere({ authority, accessToken }, { verifier, handler, app }) {
  const done = [];
  await verifyOwn(authority, done);
  const authorization = await register(authority, accessToken, done);
  const verified = await verifier.verify(authorization);
  must(verified.userId === "user-1", "another user was verified");
  done.push("directory");
  const request = () => new Request(ORIGIN, { headers: { authorization } });
  must((await (await handler(request())).text()) === verified.taskId, "the handler names another task");
  done.push("handler");
  must((await (await app.fetch(request())).text()) === verified.taskId, "the middleware names another task");
  done.push("middleware");
  const { status } = await handler(new Request(ORIGIN));
  must(status === 401, "a request without an assertion is answered with " + status);
  done.push("refusal");
  return { done };
}
`;

/** Runs it in a process: \`main.mjs JSON\`. */
export const MAIN = `
import { anywhere, prepare } from "./anywhere.mjs";
const options = JSON.parse(process.argv[2]);
const prepared = prepare(options);
console.log(JSON.stringify(await anywhere(options, prepared)));
await prepared.directory.close();
`;

/** Runs it in a Worker, whose bindings are its options: the verifier is made once, outside of its requests. */
export const WORKER = `
import { env } from "cloudflare:workers";
import { anywhere, prepare } from "./anywhere.mjs";
// Outside of a request, as a Worker does with what serves many.
const prepared = prepare(env);
export default {
  async fetch() {
    try {
      return Response.json(await anywhere(env, prepared));
    } catch (error) {
      return new Response(String(error?.stack), { status: 500 });
    }
  },
};
`;

/** Bundles the Worker and runs it in workerd: \`run-worker.mjs FOLDER JSON\`. */
export const RUN_WORKER = `
import { build } from "esbuild";
import { Miniflare } from "miniflare";
const [folder, bindings] = process.argv.slice(2);
const { outputFiles } = await build({
  entryPoints: [folder + "/worker.mjs"],
  bundle: true,
  format: "esm",
  platform: "node",
  conditions: ["workerd", "worker"],
  external: ["node:*", "cloudflare:*"],
  write: false,
});
const worker = new Miniflare({
  modules: true,
  script: outputFiles[0].text,
  compatibilityDate: "2026-04-01",
  compatibilityFlags: ["nodejs_compat"],
  bindings: JSON.parse(bindings),
});
try {
  const texts = [];
  // What one request made must serve the next.
  for (let count = 0; count < 3; count += 1) {
    const answer = await worker.dispatchFetch("https://worker.example/");
    texts.push(await answer.text());
    if (!answer.ok) throw new Error(texts.at(-1));
  }
  if (new Set(texts).size !== 1) throw new Error(texts.join());
  console.log(texts[0]);
} finally {
  await worker.dispose();
}
`;
