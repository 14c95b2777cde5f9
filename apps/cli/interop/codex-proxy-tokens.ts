import type { Checks } from "./checks.ts";
import { CODEX_C } from "./codex-binary.ts";
import { type ConfiguredCodex, configureCodex } from "./configured-codex.ts";
import { COUNTERSIGN } from "./countersign.ts";
import type { InteropClient } from "./interop-client.ts";
import { checkSigned, type ProxyChain, startProxyChain } from "./proxy-chain.ts";

const PROMPTS = ["say hello", "say hello again", "and once more"] as const;

/** The newest Codex with an API key, which is the client token of a signing proxy. */
export const CODEX_PROXY_TOKENS: InteropClient = {
  name: `codex ${CODEX_C.name} proxy, tokens`,
  async run(checks, scene) {
    const chain = await startProxyChain(scene);
    const { upstream } = chain;
    const codex = await configureCodex(checks, scene, chain);

    await codex.answered("first thread", [PROMPTS[0]]);
    await codex.answered("second thread", [PROMPTS[1]]);
    await codex.answered("resumed thread", ["resume", "--last", PROMPTS[2]]);

    await checkSigned(checks, chain, ["first", "second", "second"]);
    checks.equal(
      "each request is a turn",
      upstream.requests.map(({ method, path }) => `${method} ${path}`),
      PROMPTS.map(() => "POST /v1/responses"),
    );
    checks.equal(
      "with the prompts of its thread",
      upstream.requests.map(({ body }) =>
        PROMPTS.filter((prompt) => body.includes(JSON.stringify(prompt))),
      ),
      [[PROMPTS[0]], [PROMPTS[1]], [PROMPTS[1], PROMPTS[2]]],
    );
    checks.equal(
      "Codex's own name of the thread reaches the upstream",
      new Set(upstream.requests.map(({ headers }) => headers["session-id"])).size,
      2,
    );
    await checkTokens(checks, chain, codex);
  },
};

async function checkTokens(
  checks: Checks,
  chain: ProxyChain,
  codex: ConfiguredCodex,
): Promise<void> {
  const counts = async () => [
    (await chain.audited()).length,
    chain.upstream.requests.length,
    (await chain.tasks()).length,
  ];
  const before = await counts();
  const { code } = await codex.exec([PROMPTS[0]], "not-the-token-of-this-proxy");
  checks.equal("wrong token: exit code", code, 1);
  checks.equal(
    "wrong token: requests at the gateway and at the upstream, tasks",
    await counts(),
    before,
  );

  const [node, cli] = COUNTERSIGN;
  const auth = [
    "[model_providers.countersign.auth]",
    `command = "${node}"`,
    `args = ["${cli}", "proxy", "token"]`,
  ].join("\n");
  await codex.configure((config) => config.replace(/^env_key.*$/m, auth));
  await codex.answered("token by a command", [PROMPTS[0]]);
  const added = (await chain.audited()).slice(before[0]);
  const threads = new Set(added.map(({ task_id }) => task_id));
  checks.equal(
    "token by a command: the turn's task, and one for the questions that belong to no thread",
    [threads.size, threads.has(undefined)],
    [2, false],
  );
}
