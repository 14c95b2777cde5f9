import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openWireTap, startProcess, type TestProcess } from "@countersign/testing";
import type { Checks } from "./checks.ts";
import { type GatewayChain, startGatewayChain } from "./gateway-chain.ts";
import { holdNextAnswers } from "./held-answers.ts";
import type { InteropClient, Scene } from "./interop-client.ts";
import { ENVIRONMENT_LINE, type ThreadProxySettings } from "./parents/thread-proxy.ts";
import { checkSigned } from "./proxy-chain.ts";

/** An agent that others made, as a child process with the environment of `proxyEnv`. */
export interface ProxyEnvChild {
  /** Its row in docs/integrations.md. */
  readonly name: string;
  readonly whyNot?: () => string | undefined;
  /** The file in `parents` that starts it, and its arguments. What the child reads is put into the home of the user. */
  prepare(userHome: string): Promise<readonly [parent: string, ...args: string[]]>;
  /** Makes it ask where it does not by itself. */
  readonly ask?: (child: TestProcess, checks: Checks) => Promise<void>;
  /** How it prints the first piece of an answer. */
  readonly piece: RegExp;
  /** What it prints in the end. */
  readonly whole: RegExp;
  /** What it asks of the API, as often as it likes. */
  readonly requests: string;
}

// What the parent holds, and the API must never get.
const CANARY = "sk-canary-2c84d1f07e";
const KEYS = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"];

// Far more than a run takes; one that waits for ever is a failed check, not a check that never ends.
const MAX_RUN_MS = 60_000;

/** Runs it through a proxy of its parent, a wire tap and a gateway. */
export function proxyEnvClient(child: ProxyEnvChild): InteropClient {
  return {
    name: child.name,
    ...(child.whyNot && { whyNot: child.whyNot }),
    async run(checks, scene) {
      const chain = await startGatewayChain(scene);
      const tap = await openWireTap();
      scene.onEnd(() => tap.close());
      tap.relayTo(chain.gatewayUrl);
      const arrives = holdNextAnswers(checks, chain.upstream);
      const parent = await startParent(child, scene, chain, tap.url);
      const environment = new RegExp(`^${ENVIRONMENT_LINE}(.*)$`);
      const [, text = ""] = await parent.waitForLine(environment);
      const { ANTHROPIC_BASE_URL: url = "", ANTHROPIC_API_KEY: clientToken = "" } =
        JSON.parse(text);
      checks.ok("the proxy listens while its child waits", await isProxyAt(url));
      const asked = child.ask?.(parent, checks);
      await arrives(parent, child.piece);
      await asked;
      parent.endInput();
      const { code, stdout, stderr } = await parent.exited;
      checks.equal(
        "exit code, and the answer is whole",
        [code, child.whole.test(stdout)],
        [0, true],
      );
      if (code !== 0) checks.say(stderr);
      checks.ok("the proxy has ended with its process", !(await isProxyAt(url)));

      const { requests } = chain.upstream;
      checks.equal(
        "requests at the upstream",
        [...new Set(requests.map(({ method, path }) => `${method} ${path}`))],
        [child.requests],
      );
      const threads = requests.map(() => "thread-1");
      await checkSigned(checks, { ...chain, clientToken }, threads);
      checks.equal(
        "each request at the gateway has one assertion, and no key",
        [tap.values("authorization").map((value) => value.split(" ")[0]), tap.values("x-api-key")],
        [requests.map(() => "AgentAssertion"), []],
      );
      checks.ok(
        "neither a key of the parent nor the proxy's token reaches it",
        ![CANARY, clientToken].some((secret) => tap.received().includes(secret)),
      );
    },
  };
}

// Nothing of this process's environment reaches the parent but the PATH.
async function startParent(
  child: ProxyEnvChild,
  { folder, onEnd }: Scene,
  { authorityUrl, accessToken }: GatewayChain,
  upstream: string,
): Promise<TestProcess> {
  const userHome = join(folder, "user");
  const cwd = join(userHome, "project");
  await mkdir(cwd, { recursive: true });
  const [parent, ...args] = await child.prepare(userHome);
  const settings: ThreadProxySettings = {
    ...{ authority: authorityUrl, accessToken, upstream },
    home: join(folder, "agent"),
  };
  const program = join(import.meta.dirname, "parents", parent);
  const running = await startProcess(
    process.execPath,
    [program, JSON.stringify(settings), ...args],
    {
      cwd,
      env: {
        ...Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])),
        ...Object.fromEntries(KEYS.map((name) => [name, CANARY])),
        ...{ PATH: process.env.PATH, HOME: userHome, TMPDIR: userHome },
      },
    },
  );
  const end = () => running.kill("SIGTERM");
  const timer = setTimeout(end, MAX_RUN_MS);
  onEnd(async () => {
    clearTimeout(timer);
    end();
    await running.exited;
  });
  return running;
}

/** Whether a signing proxy answers here. The port of one that has ended may be another program's by then. */
async function isProxyAt(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined);
  return answer?.status === 401 && (await answer.text()).includes('"unauthenticated"');
}
