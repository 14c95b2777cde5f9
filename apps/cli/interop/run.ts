// `pnpm interop`: the real Codex binary as a client of this authority and gateway, sealed off from every network but loopback (the
// binary calls hosts of its vendor in the background). Skipped, with a line that says why, where the machine cannot do it.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CODEX_0_122, fetchCodexBinary } from "./codex-binary.ts";
import { loopbackOnlyPrefix } from "./network-namespace.ts";

function skip(reason: string): void {
  console.log(`SKIPPED: interop with the real Codex binary: ${reason}`);
  console.log("0 passed, 0 failed, 1 skipped");
}

function main(): void {
  if (process.platform !== "linux" || process.arch !== "x64") {
    skip(`the pinned binary is for linux x64, this is ${process.platform} ${process.arch}`);
    return;
  }
  const prefix = loopbackOnlyPrefix();
  if (prefix === undefined) {
    skip("this machine cannot make a network namespace (unshare --net, ip link set lo up)");
    return;
  }
  const binary = fetchCodexBinary(CODEX_0_122);
  const scenario = join(import.meta.dirname, "codex-0.122.ts");
  const [command = "", ...args] = [...prefix, process.execPath, scenario, binary];
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  process.exitCode = status ?? 1;
}

main();
