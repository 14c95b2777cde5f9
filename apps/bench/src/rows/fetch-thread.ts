import { plainCall, turnCall } from "../fixtures/calling.ts";
import { eachTimed } from "../fixtures/contenders.ts";
import { warmTurn } from "../fixtures/warm-turn.ts";
import type { ComparisonRow } from "../harness/row.ts";

// The README's program: the login is in the program, agent and task are in files. A turn is warm, as every turn after the first one is.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "fetch-thread",
  title: "withAssertion(fetch) in a turn, thread with file stores",
  against: "fetch with a constant header (p50)",
  figure: "cost",
  decides: "wall",
  goal: { limit: "at most", value: 1.15 },
  shortBecause:
    "Beside a real connection the same code takes two to three times what it takes with a fetch that returns at once (38 and 14 µs): after each wait for the network it runs from cold caches.",
  async open() {
    const { api, thread, close } = await warmTurn("fixed");
    return {
      product: eachTimed(turnCall(api.url, thread)),
      peer: eachTimed(plainCall(api.url)),
      close,
    };
  },
};
