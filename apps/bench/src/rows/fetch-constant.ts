import { plainCall, signedCall } from "../fixtures/calling.ts";
import { eachTimed } from "../fixtures/contenders.ts";
import { startProgram } from "../fixtures/program.ts";
import type { ComparisonRow } from "../harness/row.ts";

// Both send the same request to the same server on loopback, over a connection that is open; only the Authorization field differs.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "fetch-constant",
  title: "withAssertion(fetch), constant credential",
  against: "fetch with a constant header (p50)",
  figure: "cost",
  decides: "wall",
  goal: { limit: "at most", value: 1.05 },
  shortBecause:
    "Beside a real connection the same code takes two to three times what it takes with a fetch that returns at once (16 and 5 µs): after each wait for the network it runs from cold caches.",
  async open() {
    const api = await startProgram(import.meta.resolve("../fixtures/api-program.ts"));
    return {
      product: eachTimed(signedCall(api.url)),
      peer: eachTimed(plainCall(api.url)),
      close: api.close,
    };
  },
};
