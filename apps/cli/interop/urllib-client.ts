import { join } from "node:path";
import { EXAMPLES, runExample, whyNotProgram } from "./examples.ts";
import type { InteropClient } from "./interop-client.ts";
import { checkSigned, startProxyChain } from "./proxy-chain.ts";

/** Python's own HTTP client. */
export const URLLIB_CLIENT: InteropClient = {
  name: "urllib",
  whyNot: () => whyNotProgram("python3"),
  async run(checks, scene) {
    const chain = await startProxyChain(scene);
    const example = join(EXAMPLES, "proxy", "urllib-client.py");
    const printed = await runExample(checks, chain, ["python3", example], /^data: .*"hel"/);
    checks.ok("the answer is whole", printed.endsWith("data: [DONE]\n\n"));
    await checkSigned(checks, chain, ["thread-42"]);
  },
};
