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
    "With a fetch that returns at once, the turn and its call take 33 µs, of which four lstat are 8 µs. Why they cost more beside a real connection is not yet known.",
  async open() {
    const { api, thread, close } = await warmTurn("stored");
    return {
      product: eachTimed(turnCall(api.url, thread)),
      peer: eachTimed(plainCall(api.url)),
      close,
    };
  },
};
