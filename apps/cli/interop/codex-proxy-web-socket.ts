import { CODEX_C } from "./codex-binary.ts";
import { configureCodex } from "./configured-codex.ts";
import type { InteropClient } from "./interop-client.ts";
import { checkSigned, startProxyChain } from "./proxy-chain.ts";

/** The newest Codex with `supports_websockets = true`: one tunnel through proxy and gateway for what it sends ahead and for the turn. */
export const CODEX_PROXY_WEB_SOCKET: InteropClient = {
  name: `codex ${CODEX_C.name} proxy, websocket`,
  async run(checks, scene) {
    const chain = await startProxyChain(scene);
    const codex = await configureCodex(checks, scene, chain);
    await codex.configure((config) => `${config}supports_websockets = true\n`);

    await codex.answered("first thread", ["say hello"]);
    await codex.answered("resumed thread", ["resume", "--last", "and once more"]);

    await checkSigned(checks, chain, ["first", "first"], { webSockets: true });
    const frames = chain.upstream.sockets.map(({ messages }) =>
      messages.map((it) => JSON.parse(it)),
    );
    checks.equal(
      "each tunnel carries what is sent ahead and the turn",
      frames.map((tunnel) => tunnel.map(({ type, generate }) => [type, generate !== false])),
      frames.map(() => [
        ["response.create", false],
        ["response.create", true],
      ]),
    );
    checks.equal("nothing went by HTTP", chain.upstream.requests.length, 0);
  },
};
