import { copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CLAUDE_AGENT_SDK_MODULE,
  CLAUDE_AGENT_SDK_VERSION,
  CLAUDE_PROGRAM,
} from "./claude-agent-sdk.ts";
import { openAppServer } from "./codex-app-server.ts";
import { CODEX_C, codexBinary } from "./codex-binary.ts";
import { EXAMPLES, whyNotProgram } from "./examples.ts";
import type { ProxyEnvChild } from "./proxy-env-child.ts";

/** Python's own HTTP client. */
export const URLLIB_CHILD: ProxyEnvChild = {
  name: "urllib in a Python process, by `proxyEnv`",
  whyNot: () => whyNotProgram("python3"),
  prepare: async () => ["command.ts", "python3", join(EXAMPLES, "proxy", "urllib-client.py")],
  piece: /^data: .*"hel"/,
  whole: /data: \[DONE\]\n\n$/,
  requests: "POST /v1/chat/completions",
};

/** Codex as docs/codex.md shows it, which is asked over stdio: `codex exec` prints no pieces. */
export const CODEX_CHILD: ProxyEnvChild = {
  name: `Codex ${CODEX_C.name}, by \`proxyEnv\``,
  async prepare(userHome) {
    const home = join(userHome, "codex-agent");
    await mkdir(home);
    await copyFile(join(EXAMPLES, "codex", "codex.toml"), join(home, "config.toml"));
    const example = await readFile(join(EXAMPLES, "codex", "codex-child.sh"), "utf8");
    const server = example.replace("exec 'Say hello.'", "app-server");
    const script = `codex() { "${codexBinary(CODEX_C)}" "$@"; }\n${server}`;
    return ["command.ts", "sh", "-euc", script];
  },
  async ask(child, checks) {
    const server = await openAppServer(child);
    const { status, message } = await server.turn(await server.startThread(), "Say hello.");
    checks.equal("the turn is completed", [status, message], ["completed", ""]);
  },
  piece: /^{"method":"item\/agentMessage\/delta",.*"hel"/,
  whole: /"hello"/,
  requests: "POST /v1/responses",
};

/** The Claude Agent SDK with the program that it brings, once for each of two prompts. */
export const CLAUDE_CHILD: ProxyEnvChild = {
  name: `Claude Agent SDK ${CLAUDE_AGENT_SDK_VERSION}, by \`proxyEnv\``,
  whyNot: () =>
    whyNotProgram(CLAUDE_PROGRAM) &&
    "the program of the Claude Agent SDK for linux x64 does not run here: it needs glibc",
  prepare: async () => [
    ...(["claude-agent.ts", CLAUDE_AGENT_SDK_MODULE, CLAUDE_PROGRAM] as const),
    ...["Say hello.", "And again."],
  ],
  piece: /^"hel"$/,
  whole: /^success: hello\n(?:.*\n)*success: hello\n$/m,
  requests: "POST /v1/messages?beta=true",
};
