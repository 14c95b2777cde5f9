import { join } from "node:path";
import { runProcess, startProcess, type TestProcess } from "@countersign/testing";
import type { Scene } from "./interop-client.ts";

const CLI = join(import.meta.dirname, "../dist/bin.js");

/** Where a command has its home, what else is in its environment, and what it reads. */
export interface CountersignOptions {
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** The words that start the built command. */
export const COUNTERSIGN: readonly [string, string] = [process.execPath, CLI];

/** The environment of a home, without the variables of the user's shell that would change a result. */
export function environmentOf({
  home,
  env,
}: CountersignOptions): Record<string, string | undefined> {
  const cleared = Object.keys(process.env)
    .filter((name) => /^(COUNTERSIGN_|OPENAI_|NODE_OPTIONS$|(?:https?|all|no)_proxy$)/i.test(name))
    .map((name) => [name, undefined] as const);
  return { ...Object.fromEntries(cleared), COUNTERSIGN_HOME: home, ...env };
}

/** Runs the built command to its end, which must be a good one; gives what it printed. */
export async function countersign(
  args: readonly string[],
  options: CountersignOptions,
): Promise<string> {
  const [node, cli] = COUNTERSIGN;
  const { code, stdout, stderr } = await runProcess(node, [cli, ...args], {
    env: environmentOf(options),
    input: options.input,
  });
  if (code !== 0) throw new Error(`countersign ${args.join(" ")} ended ${code}: ${stderr}`);
  return stdout;
}

/** A server of the built command that listens. */
export interface CountersignServer {
  readonly url: string;
  readonly process: TestProcess;
  /** Lets it end by itself. */
  close(): Promise<void>;
}

/** Starts a server of the built command, and waits until it says where it listens. */
export async function startCountersign(
  args: readonly string[],
  options: CountersignOptions,
): Promise<CountersignServer> {
  const [node, cli] = COUNTERSIGN;
  const running = await startProcess(node, [cli, ...args], { env: environmentOf(options) });
  const [, url = ""] = await running.waitForLine(/^listening on (\S+)$/);
  return {
    url,
    process: running,
    async close() {
      running.kill("SIGTERM");
      await running.exited;
    },
  };
}

/** Starts a server that ends with the scene. Gives its URL. */
export async function startServer(
  scene: Scene,
  args: readonly string[],
  options: CountersignOptions,
): Promise<string> {
  const server = await startCountersign(args, options);
  scene.onEnd(() => server.close());
  return server.url;
}
