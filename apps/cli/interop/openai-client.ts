import { join } from "node:path";
import { EXAMPLES, runExample } from "./examples.ts";
import type { InteropClient } from "./interop-client.ts";
import { checkSigned, startProxyChain } from "./proxy-chain.ts";

/** The official client for Node: streamed chat completions and responses. */
export const OPENAI_CLIENT: InteropClient = {
  name: "openai client",
  async run(checks, scene) {
    const chain = await startProxyChain(scene);
    const example = join(EXAMPLES, "proxy", "openai-client.ts");
    const printed = await runExample(checks, chain, [process.execPath, example], /^hel$/);
    checks.equal("both answers are whole", printed, "hel\nlo\n\nhel\nlo\n");
    await checkSigned(checks, chain, ["thread-42", "thread-42"]);
    checks.equal(
      "both ways of asking reach the upstream",
      chain.upstream.requests.map(({ path }) => path),
      ["/v1/chat/completions", "/v1/responses"],
    );
  },
};
