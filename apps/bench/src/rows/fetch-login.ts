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
    "As with a constant credential, and the look at the home: two lstat take 4 µs, its promises the rest.",
  async open() {
    const { api, thread, close } = await warmTurn("stored");
    return {
      product: eachTimed(turnCall(api.url, thread)),
      peer: eachTimed(plainCall(api.url)),
      close,
    };
  },
};
