/** A route beside the example's, whose requests must be bound. */
const BOUND_ROUTE = `
import { createVerifier, memoryReplayStore } from "@countersign/agent-assertion";
import { withAgent } from "@countersign/agent-assertion/handler";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

const verifier = createVerifier({
  directory: remoteDirectory(process.env.AUTHORITY ?? "http://127.0.0.1:4600"),
  binding: { policy: "require", publicUrl: "https://api.example", replayStore: memoryReplayStore() },
});

export const POST = withAgent(verifier, async (request) => new Response(await request.text()));
`;

/** Starts the application that was built, and asks it: `run-next.mjs FOLDER JSON`. The process that this starts is the server itself. */
const RUN = `
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { ask, openAgent } from "./example-client.mjs";

const [folder, json] = process.argv.slice(2);
const options = JSON.parse(json);
const ORIGIN = "https://api.example";
const bin = (name) => "node_modules/" + name;

const args = [bin("next/dist/bin/next"), "start", folder, "--hostname", "127.0.0.1", "--port", "0"];
const server = spawn(process.execPath, args, {
  env: { ...process.env, AUTHORITY: options.authority },
  stdio: ["ignore", "pipe", "inherit"],
});
const exited = once(server, "exit");

async function started() {
  for await (const line of createInterface({ input: server.stdout })) {
    const url = /Local: +(http:\\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error("next start ended");
}

/** A revoked task's assertion, which the server never saw before. */
async function revokedAssertion() {
  const { thread, close } = openAgent(options);
  let assertion;
  const keep = async (_, init) => {
    assertion = new Headers(init.headers).get("authorization");
    return new Response();
  };
  await withAssertion(keep, thread, { origins: [ORIGIN] })(ORIGIN);
  const { taskId } = await thread.credential();
  await close();
  const revoke = ["authority", "tasks", "revoke", taskId, "--database", options.database];
  execFileSync(process.execPath, [bin("@countersign/cli/dist/bin.js"), ...revoke], { stdio: "ignore" });
  return assertion;
}

try {
  const url = await started();
  server.stdout.resume();
  let sent = [];
  const send = (input, init) => {
    sent = [String(input).replace(ORIGIN, url), { ...init, headers: new Headers(init.headers) }];
    return fetch(...sent);
  };
  const codeOf = async (answer) => [answer.status, (await answer.json()).code];
  const refused = async (authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    return await codeOf(await fetch(url + "/v1/hello", { method: "POST", headers }));
  };

  const signed = await ask(options, ORIGIN, send);
  const assertion = sent[1].headers.get("authorization");
  const fields = JSON.parse(Buffer.from(assertion.split(" ")[1], "base64url"));
  const timestamp = new Date(Date.parse(fields.timestamp) - 1000).toISOString().replace(".000Z", "Z");
  const another = { ...fields, timestamp };
  const wrong = "AgentAssertion " + Buffer.from(JSON.stringify(another)).toString("base64url");

  const { thread, close } = openAgent(options);
  const bound = withAssertion(send, thread, { origins: [ORIGIN], binding: true });
  const answer = await bound(ORIGIN + "/v1/bound", { method: "POST", body: "pay 10" });
  const text = await answer.text();
  const changed = await codeOf(await fetch(sent[0], { ...sent[1], body: "pay 99" }));
  const again = await codeOf(await fetch(sent[0], { ...sent[1], body: "pay 10" }));
  await close();

  console.log(
    JSON.stringify({
      signed,
      missing: await refused(undefined),
      wrong: await refused(wrong),
      bound: [answer.status, text],
      changed,
      again,
      revoked: await refused(await revokedAssertion()),
    }),
  );
} finally {
  server.kill();
  await exited;
}
`;

/** The programs of the check: the first lies beside the packed packages, the second in the application. */
export const RUN_NEXT = { file: "run-next.mjs", source: RUN } as const;
export const NEXT_BOUND = { file: "app/v1/bound/route.ts", source: BOUND_ROUTE } as const;

/** What the first prints. */
export const NEXT_ANSWERS = JSON.stringify({
  signed: [200, true, true, "acct-1"],
  missing: [401, "missing"],
  wrong: [401, "bad_signature"],
  bound: [200, "pay 10"],
  changed: [401, "binding_mismatch"],
  again: [401, "replayed"],
  revoked: [401, "task_revoked"],
});
