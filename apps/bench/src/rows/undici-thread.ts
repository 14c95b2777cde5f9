import { eachTimed } from "../fixtures/contenders.ts";
import { dispatchPlain, dispatchSigned } from "../fixtures/dispatching.ts";
import { warmTurn } from "../fixtures/warm-turn.ts";
import type { ComparisonRow } from "../harness/row.ts";

// As for the constant credential; the task of a warm turn comes from a thread with file stores.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "undici-thread",
  title: "undici interceptor in a turn, thread with file stores",
  against: "an interceptor that only hands on, constant header (p50)",
  figure: "cost",
  decides: "wall",
  goal: { limit: "at most", value: 1.2 },
  shortBecause:
    "As with fetch, the code of turn and interceptor runs from cold caches after each wait for the network. Its time with a dispatcher that answers at once was not measured.",
  async open() {
    const { api, thread, close } = await warmTurn("fixed");
    const call = dispatchSigned(api.url, thread);
    return {
      product: eachTimed(() => thread.run(call)),
      peer: eachTimed(dispatchPlain(api.url)),
      close,
    };
  },
};
