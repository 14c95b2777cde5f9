import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessResult } from "@countersign/testing";
import type { Checks } from "./checks.ts";
import { CODEX_C, codexBinary } from "./codex-binary.ts";
import { codexExec } from "./codex-process.ts";
import { EXAMPLES } from "./examples.ts";
import type { Scene } from "./interop-client.ts";
import type { ProxyChain } from "./proxy-chain.ts";
import { ANSWER } from "./stub-answers.ts";

/** The newest Codex in a home with the configuration that docs/clients.md shows. */
export interface ConfiguredCodex {
  /** Changes the configuration. */
  configure(change: (config: string) => string): Promise<void>;
  /** Runs `codex exec`; `token` is what it presents to the proxy, the client token unless told otherwise. */
  exec(args: readonly string[], token?: string): Promise<ProcessResult>;
  /** Runs `codex exec` and checks that it shows the answer. */
  answered(name: string, args: readonly string[]): Promise<void>;
}

/** Makes the home. */
export async function configureCodex(
  checks: Checks,
  scene: Scene,
  chain: ProxyChain,
): Promise<ConfiguredCodex> {
  const home = join(scene.folder, "codex-home");
  await mkdir(home);
  const example = await readFile(join(EXAMPLES, "codex", "codex.toml"), "utf8");
  const config = example.replace("http://127.0.0.1:4800", chain.proxyUrl);
  const configure = (change: (config: string) => string) =>
    writeFile(join(home, "config.toml"), change(config));
  const exec = async (args: readonly string[], token = chain.clientToken) => {
    const env = { COUNTERSIGN_PROXY_TOKEN: token, COUNTERSIGN_HOME: chain.home };
    const work = join(scene.folder, "work");
    return await codexExec({ binary: codexBinary(CODEX_C), home, work, env }, args);
  };
  await configure((text) => text);
  return {
    configure,
    exec,
    async answered(name, args) {
      checks.say(`${name}: codex exec ${args.join(" ")}`);
      const { code, stdout, stderr } = await exec(args);
      checks.equal(`${name}: exit code and answer`, [code, stdout.trim()], [0, ANSWER]);
      if (code !== 0) checks.say(`${name}: ${stderr}`);
    },
  };
}
