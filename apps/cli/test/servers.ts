import { join } from "node:path";
import { createRegistry, openStore, type TokenRole } from "@countersign/agent-authority";
import { startTestUpstream, type TestProcess, type TestUpstream } from "@countersign/testing";
import { onTestFinished } from "vitest";
import { startCountersign, storeLogin } from "./command-line.js";
import { type FreshHome, freshHome } from "./fresh-home.js";

/** A command that serves. */
export interface StartedServer {
  readonly process: TestProcess;
  /** Where it says that it listens. */
  readonly url: string;
}

/** A home, an upstream, and what starts the servers of this command in that home. */
export interface ServerWorld extends FreshHome {
  readonly upstream: TestUpstream;
  /** The switch that names this test's database, which does not exist yet. */
  readonly onDatabase: readonly string[];
  /** Starts a command that serves, and waits until it listens. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<StartedServer>;
  /** Starts `authority serve` on this test's database. */
  serve(args?: readonly string[]): Promise<StartedServer>;
  /** Makes a token with the registry itself: what the command prints is tested once. */
  createToken(role?: TokenRole): Promise<string>;
  /** Logs the user `user-1` of `acct-1` in. */
  logIn(authority: string): Promise<void>;
}

/** Makes a {@link ServerWorld}; its servers end with the test. */
export async function serverWorld(): Promise<ServerWorld> {
  const fresh = await freshHome();
  const { folder, home } = fresh;
  const upstream = await startTestUpstream();
  onTestFinished(() => upstream.close());
  const database = `sqlite:${join(folder.path, "authority.db")}`;
  const onDatabase = ["--database", database];

  const world: ServerWorld = {
    ...fresh,
    upstream,
    onDatabase,
    async start(args, env = {}) {
      const process = await startCountersign(args, { home, env });
      onTestFinished(() => process[Symbol.asyncDispose]());
      const [, url = ""] = await process.waitForLine(/^listening on ((?:http:\/\/|unix:)\S+)$/);
      return { process, url };
    },
    serve: (args = []) =>
      world.start(["authority", "serve", "--listen", "127.0.0.1:0", ...onDatabase, ...args]),
    async createToken(role = "human") {
      const store = await openStore(database);
      const human = { accountId: "acct-1", userId: "user-1", role, ttlSeconds: 3600 };
      const { token } = await createRegistry(store).createAccessToken(human);
      await store.close();
      return token;
    },
    async logIn(authority) {
      await storeLogin(home, { authority, accessToken: await world.createToken() });
    },
  };
  return world;
}
