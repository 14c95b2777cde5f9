import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CODEX_0_169, codexBinary } from "./codex-binary.ts";
import { codexExec } from "./codex-process.ts";
import { EXAMPLES } from "./examples.ts";
import type { InteropClient } from "./interop-client.ts";
import { checkSigned, startProxyChain } from "./proxy-chain.ts";
import { ANSWER } from "./stub-answers.ts";

/** Codex 0.169 with an API key, which is the client token of a signing proxy. */
export const CODEX_0_169_PROXY: InteropClient = {
  name: "codex 0.169",
  async run(checks, scene) {
    const chain = await startProxyChain(scene);
    const { upstream, proxyUrl } = chain;
    const home = join(scene.folder, "codex-home");
    await mkdir(home);
    const example = await readFile(join(EXAMPLES, "codex.toml"), "utf8");
    const config = example.replace("http://127.0.0.1:4800", proxyUrl);
    await writeFile(join(home, "config.toml"), config);
    const run = async (name: string, args: string[], token = chain.clientToken) => {
      checks.say(`${name}: codex exec ${args.join(" ")}`);
      const codex = {
        ...{ binary: codexBinary(CODEX_0_169), home, work: join(scene.folder, "work") },
        env: { COUNTERSIGN_PROXY_TOKEN: token },
      };
      return await codexExec(codex, args);
    };
    const answered = async (name: string, args: string[]) => {
      const { code, stdout, stderr } = await run(name, args);
      checks.equal(`${name}: exit code and answer`, [code, stdout.trim()], [0, ANSWER]);
      if (code !== 0) checks.say(`${name}: ${stderr}`);
    };

    await answered("first thread", ["say hello"]);
    await answered("second thread", ["say hello again"]);
    await answered("resumed thread", ["resume", "--last", "and once more"]);

    await checkSigned(checks, chain, ["first", "second", "second"]);
    checks.equal(
      "each request is a turn",
      upstream.requests.map(({ method, path }) => `${method} ${path}`),
      upstream.requests.map(() => "POST /v1/responses"),
    );
    checks.equal(
      "with the prompts of its thread",
      upstream.requests.map(({ body }) =>
        ["say hello", "say hello again", "and once more"].filter((prompt) =>
          body.includes(JSON.stringify(prompt)),
        ),
      ),
      [["say hello"], ["say hello again"], ["say hello again", "and once more"]],
    );
    checks.equal(
      "the thread's own field reaches the upstream",
      new Set(upstream.requests.map(({ headers }) => headers["session-id"])).size,
      2,
    );

    const before = upstream.requests.length;
    const { code } = await run("wrong token", ["say hello"], "not-the-token-of-this-proxy");
    checks.equal("wrong token: exit code", code, 1);
    checks.equal(
      "wrong token: requests at the gateway and at the upstream, tasks",
      [(await chain.audited()).length, upstream.requests.length, (await chain.tasks()).length],
      [before, before, 2],
    );
  },
};
