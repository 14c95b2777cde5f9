// One process of a home that kills itself. Has the task of the thread whose registration was cut off before, prints it, waits for a line,
// then registers another thread's task and is killed at a step of it. With SIGNER, a private key in PKCS#8, the agent's key is kept outside of the
// home, signs later and does nothing else.
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { flushCompileCache } from "node:module";
import { AgentIdentityManager, fileStore, fixedAuth } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { AgentTaskManager } from "../../src/agent-task-manager.js";
import { fileTaskStore } from "../../src/store/file-task-store.js";

interface Message {
  readonly event?: string;
  readonly path?: string;
  readonly scope?: string;
  readonly request?: { readonly path?: string };
}

const [
  authority = "",
  accessToken = "",
  home = "",
  before = "",
  thread = "",
  step = "",
  signerKey = "",
] = process.argv.slice(2);
const key = signerKey === "" ? undefined : AgentKey.importPkcs8(signerKey);
const identities = new AgentIdentityManager({
  authority,
  auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken }),
  store: fileStore(home),
  signers: key && [{ publicKey: key.publicKey, sign: async (text) => key.sign(text) }],
  features: { isEnabled: () => true },
});
const tasks = new AgentTaskManager({ identities, store: fileTaskStore(`${home}/threads`) });
const task = await tasks.ensure(before);
// Before the kill, after which the next process would find nothing compiled.
flushCompileCache();
process.stdout.write(`recovered ${task?.taskId}\n`);
await once(process.stdin, "data");
process.stdin.destroy();
if (step !== "") killAt(step);
await tasks.ensure(thread);
process.stdout.write("not killed\n");

/** A step is `channel event`; the event of Node's HTTP client is the end of the path. */
function killAt(name: string): void {
  const [channel = "", event = ""] = name.split(" ");
  subscribe(channel, (published) => {
    const message = published as Message;
    const isStep = channel.startsWith("http.")
      ? message.request?.path?.endsWith(event) === true
      : message.event === event;
    // The credentials were written by the registration before; what is written now is the thread.
    if (isStep) process.kill(process.pid, "SIGKILL");
  });
}
