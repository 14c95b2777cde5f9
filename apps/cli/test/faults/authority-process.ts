import { join } from "node:path";
import { createRegistry, openStore, type TokenRole } from "@countersign/agent-authority";
import { type TestProcess, temporaryDirectory } from "@countersign/testing";
import { onTestFinished } from "vitest";
import { startCountersign } from "../command-line.js";

/** `countersign authority serve` on a port and a database that stay the same. */
export interface AuthorityProcess {
  readonly url: string;
  /** Kills it (SIGKILL), and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again, and waits until it listens. */
  start(): Promise<void>;
  /** Makes a token of `user-1` of `acct-1`. */
  token(role?: TokenRole): Promise<string>;
  /** How many agents and tasks it has registered. */
  registered(): Promise<{ readonly agents: number; readonly tasks: number }>;
}

const LISTENING = /^listening on (\S+)$/;
const TAKEN = /\(address_in_use\)$/;

/** Starts an {@link AuthorityProcess} that ends with the test. */
export async function startAuthorityProcess(): Promise<AuthorityProcess> {
  const folder = await temporaryDirectory();
  onTestFinished(() => folder.remove());
  const database = `sqlite:${join(folder.path, "authority.db")}`;
  const registry = async <T>(run: (of: ReturnType<typeof createRegistry>) => Promise<T>) => {
    await using store = await openStore(database);
    return await run(createRegistry(store));
  };
  let running: TestProcess | undefined;
  const startOn = async (port: number): Promise<string | undefined> => {
    const listen = ["--listen", `127.0.0.1:${port}`, "--database", database];
    const started = await startCountersign(["authority", "serve", ...listen], {
      home: join(folder.path, "home"),
    });
    onTestFinished(() => started[Symbol.asyncDispose]());
    const [line = "", url] = await started.waitForLine(
      new RegExp(`${LISTENING.source}|${TAKEN.source}`),
    );
    if (TAKEN.test(line)) return undefined;
    running = started;
    return url;
  };
  let port = 0;
  let url: string | undefined;
  while (url === undefined) {
    // Below the ports that systems give to outgoing connections, so that no other program takes it while the process is down.
    port = 20_000 + Math.floor(Math.random() * 12_000);
    url = await startOn(port);
  }
  return {
    url,
    async kill() {
      running?.kill("SIGKILL");
      await running?.exited;
    },
    async start() {
      if ((await startOn(port)) === undefined)
        throw new Error(`port ${port} was taken while the process was down`);
    },
    token: (role = "human") =>
      registry(async (of) => {
        const human = { accountId: "acct-1", userId: "user-1", role, ttlSeconds: 86_400 };
        return (await of.createAccessToken(human)).token;
      }),
    registered: () =>
      registry(async (of) => ({
        agents: (await of.listAgents()).length,
        tasks: (await of.listTasks()).length,
      })),
  };
}
