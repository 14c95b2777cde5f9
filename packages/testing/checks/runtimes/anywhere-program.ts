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

export async function anywhere({ authority, accessToken, serverToken }) {
  const done = [];
  await verifyOwn(authority, done);
  const authorization = await register(authority, accessToken, done);
  const directory = remoteDirectory(authority, { token: serverToken });
  const verifier = createVerifier({ directory });
  const verified = await verifier.verify(authorization);
  must(verified.userId === "user-1", "another user was verified");
  done.push("directory");
  const handler = withAgent(verifier, (_, agent) => new Response(agent.taskId));
  const request = () => new Request(ORIGIN, { headers: { authorization } });
  must((await (await handler(request())).text()) === verified.taskId, "the handler names another task");
  done.push("handler");
  const app = new Hono();
  app.use(agentAssertion({ verifier }));
  app.get("/", (context) => context.text(context.get("agent").taskId));
  must((await (await app.fetch(request())).text()) === verified.taskId, "the middleware names another task");
  done.push("middleware");
  const { status } = await handler(new Request(ORIGIN));
  must(status === 401, "a request without an assertion is answered with " + status);
  done.push("refusal");
  await directory.close?.();
  return { done };
}
`;

/** Runs it in a process: \`main.mjs JSON\`. */
export const MAIN = `
import { anywhere } from "./anywhere.mjs";
const outcome = await anywhere(JSON.parse(process.argv[2]));
console.log(JSON.stringify(outcome));
`;

/** Runs it in a Worker, whose bindings are its options. */
export const WORKER = `
import { anywhere } from "./anywhere.mjs";
export default {
  async fetch(_, env) {
    try {
      return Response.json(await anywhere(env));
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
  external: ["node:*"],
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
  const answer = await worker.dispatchFetch("https://worker.example/");
  const text = await answer.text();
  if (answer.ok) console.log(text);
  else throw new Error(text);
} finally {
  await worker.dispose();
}
`;
