// `pnpm interop`: clients that others made, through this signing proxy, gateway and authority. All of it runs where there is no network
// but loopback (Codex calls hosts of its vendor in the background). What a machine cannot do is left out, with a line that says why.
import { spawnSync } from "node:child_process";
import { CLAUDE_AGENT_SDK } from "./claude-agent-sdk.ts";
import { CODEX_RELEASES } from "./codex-binary.ts";
import { codexCellClient } from "./codex-cell-client.ts";
import { CODEX_CELLS } from "./codex-cells.ts";
import { CODEX_FLAG_A_WEB_SOCKET } from "./codex-flag-a-web-socket.ts";
import { CODEX_GAPS, codexGapClient } from "./codex-gaps.ts";
import { CODEX_JWT_B_KEYS } from "./codex-jwt-b-keys.ts";
import { CODEX_PROXY_SESSION, CODEX_PROXY_SUB_AGENT } from "./codex-proxy-sub-agent.ts";
import { CODEX_PROXY_TOKENS } from "./codex-proxy-tokens.ts";
import { CODEX_PROXY_WEB_SOCKET } from "./codex-proxy-web-socket.ts";
import { CURL } from "./curl.ts";
import { type InteropClient, type Outcome, runClients, skip } from "./interop-client.ts";
import { startNameServer } from "./name-server.ts";
import { loopbackOnlyPrefix } from "./network-namespace.ts";
import { fetchNpmPackage } from "./npm-package.ts";
import { OPENAI_CLIENT } from "./openai-client.ts";
import { proxyEnvClient } from "./proxy-env-child.ts";
import { CLAUDE_CHILD, CODEX_CHILD, URLLIB_CHILD } from "./proxy-env-children.ts";
import { URLLIB_CLIENT } from "./urllib-client.ts";

const PINNED: readonly InteropClient[] = [
  ...CODEX_CELLS.map(codexCellClient),
  ...CODEX_GAPS.map(codexGapClient),
  CODEX_FLAG_A_WEB_SOCKET,
  CODEX_JWT_B_KEYS,
  CODEX_PROXY_TOKENS,
  CODEX_PROXY_WEB_SOCKET,
  CODEX_PROXY_SUB_AGENT,
  CODEX_PROXY_SESSION,
  proxyEnvClient(CODEX_CHILD),
  proxyEnvClient(CLAUDE_CHILD),
];
const OTHERS: readonly InteropClient[] = [
  ...[OPENAI_CLIENT, CURL, URLLIB_CLIENT],
  proxyEnvClient(URLLIB_CHILD),
];

const SEALED = "sealed";

function seal(): readonly string[] | string {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return `the pinned binaries are for linux x64, this is ${process.platform} ${process.arch}`;
  }
  return (
    loopbackOnlyPrefix() ??
    "this machine cannot make a network namespace (unshare --net, ip link set lo up)"
  );
}

async function main(isSealed: boolean): Promise<void> {
  if (isSealed) {
    const names = await startNameServer();
    report(await runClients([...PINNED, ...OTHERS]));
    names.close();
    return;
  }
  const prefix = seal();
  if (typeof prefix === "string") {
    const skipped = PINNED.map((client) => skip(client, prefix)).length;
    const outcome = await runClients(OTHERS);
    report({ ...outcome, skipped: outcome.skipped + skipped });
    return;
  }
  for (const release of [...CODEX_RELEASES, ...CLAUDE_AGENT_SDK]) fetchNpmPackage(release);
  const [command = "", ...args] = [...prefix, process.execPath, import.meta.filename, SEALED];
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  process.exitCode = status ?? 1;
}

function report({ passed, failed, skipped }: Outcome): void {
  const left = skipped === 0 ? "" : `, ${skipped} skipped`;
  console.log(`${passed} passed, ${failed} failed${left}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main(process.argv[2] === SEALED);
