import { join } from "node:path";
import { signedFetch } from "@countersign/agent-assertion/fetch";
import { AssertionSigner } from "@countersign/agent-assertion/sign";
import { AgentIdentityManager, fileStore } from "@countersign/agent-identity";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import type { CredentialSource } from "@countersign/agent-key";
import { AgentTaskManager, fileTaskStore } from "@countersign/agent-task";
import { resolveHome } from "@countersign/private-file";
import { AgentEnd } from "./agent-end.js";
import { type ConnectAgentOptions, checkConnectAgentOptions } from "./connect-agent-options.js";
import type { ConnectedAgent, ConnectedThread } from "./connected-agent.js";
import { KnownHumans } from "./known-humans.js";
import { tokenAuth } from "./token-auth.js";
import { warnOnce } from "./warn-once.js";
import { WorkInFlight } from "./work-in-flight.js";

/**
 * Connects this program to its agent: one key and one registration for its human and `home`, one task for each thread, and a `fetch` that signs.
 *
 * Puts an `AgentIdentityManager`, an `AgentTaskManager` and `signedFetch` together, with their stores in `home`. Nothing is read, sent or
 * written before the first turn or request. That one asks the authority who the human is, registers agent and task, and waits at most 30 s for
 * it. Afterwards the authority is asked only for the tasks of other threads, or about a token that is not known yet.
 *
 * The feature `use_agent_identity` is on. For a switch, an agent in the system's keyring, bound requests or another HTTP client put the parts
 * together yourself: they are public.
 *
 * @throws {AgentKeyError | AgentAssertionError | StoreError} `config_invalid`, naming the option, if one is missing, wrong or
 * unknown. Nothing is made then
 * @see docs/protocol.md §5, §10
 */
export function connectAgent(options: ConnectAgentOptions): ConnectedAgent {
  checkConnectAgentOptions(options);
  const { authority, accessToken, signers, insecureHttp } = options;
  const origins = [...options.origins];
  const home = resolveHome(options.home, "home");
  const client = new AuthorityClient({ authority, insecureHttp });
  const humans = new KnownHumans(home, client);
  const identities = new AgentIdentityManager({
    authority,
    client,
    auth: tokenAuth(accessToken, (token) => humans.find(token)),
    store: fileStore(home),
    signers,
    insecureHttp,
  });
  const tasks = new AgentTaskManager({ identities, store: fileTaskStore(join(home, "threads")) });
  const signer = new AssertionSigner();
  // One for all threads: each warning is given once, not once for each thread.
  const onWarning = warnOnce();
  const signed = (source: CredentialSource) =>
    signedFetch(fetch, source, { origins, signer, onWarning, insecureHttp });
  // Refuses wrong origins here, and not at the first thread.
  const credentials = tasks.currentThread();
  const sendInThread = signed(credentials);

  const work = new WorkInFlight();
  const end = new AgentEnd(tasks);
  let closing: Promise<void> | undefined;
  const close = async () => {
    await work.close();
    await tasks.close();
    await identities.close();
    humans.close();
    end.closed();
  };
  return {
    identities,
    tasks,
    credentials,
    inThread: (id, turn) => work.work(() => tasks.inThread(id, turn)),
    fetch: (input, init) => work.request(() => sendInThread(input, init)),
    thread(id, threadOptions): ConnectedThread {
      const thread = tasks.thread(id, threadOptions);
      const send = signed(thread);
      return {
        id,
        credentials: thread,
        fetch: (input, init) => work.request(() => send(input, init)),
        run: (turn, turnOptions) =>
          work.turn(() => thread.run((begun) => end.inTurn(begun, () => turn(begun)), turnOptions)),
        get signal() {
          return end.signal;
        },
      };
    },
    close() {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]() {
      return this.close();
    },
  };
}
