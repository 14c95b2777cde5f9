import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { COUNTERSIGN } from "./countersign.ts";
import { EXAMPLES, runExample, whyNotProgram } from "./examples.ts";
import type { InteropClient } from "./interop-client.ts";
import { checkSigned, startProxyChain } from "./proxy-chain.ts";

/** curl: with the client token, on the Unix socket, and with an assertion of its own. */
export const CURL: InteropClient = {
  name: "curl",
  whyNot: () => whyNotProgram("curl"),
  async run(checks, scene) {
    const chain = await startProxyChain(scene);
    const example = await readFile(join(EXAMPLES, "proxy", "curl.sh"), "utf8");
    const [node, cli] = COUNTERSIGN;
    const script = [
      `countersign() { "${node}" "${cli}" "$@"; }`,
      example
        .replaceAll("http://127.0.0.1:4800", chain.proxyUrl)
        .replaceAll("http://127.0.0.1:4700", chain.gatewayUrl)
        .replaceAll("~/.countersign/proxy.sock", chain.socketPath),
    ].join("\n");
    const printed = await runExample(checks, chain, ["sh", "-euc", script], /^data: .*"hel"/);
    checks.equal("three answers are whole", printed.split("data: [DONE]\n\n").length - 1, 3);
    await checkSigned(checks, chain, ["thread-42", "thread-42", "thread-42"]);
  },
};
