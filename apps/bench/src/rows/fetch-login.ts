import { plainCall, turnCall } from "../fixtures/calling.ts";
import { eachTimed } from "../fixtures/contenders.ts";
import { warmTurn } from "../fixtures/warm-turn.ts";
import type { ComparisonRow } from "../harness/row.ts";

// As the command line works: the login is in the home too, where another process may change it at any time.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "fetch-login",
  title: "withAssertion(fetch) in a turn, login in the home",
  against: "fetch with a constant header (p50)",
  figure: "cost",
  decides: "wall",
  goal: { limit: "at most", value: 1.2 },
  shortBecause:
    "Beside a real connection the same code takes two to three times what it takes with a fetch that returns at once (about 38 and 14 µs): after each wait for the network it runs from cold caches.",
  async open() {
    const { api, thread, close } = await warmTurn("stored");
    return {
      product: eachTimed(turnCall(api.url, thread)),
      peer: eachTimed(plainCall(api.url)),
      close,
    };
  },
};
