import { eachTimed } from "../fixtures/contenders.ts";
import { dispatchPlain, dispatchSigned } from "../fixtures/dispatching.ts";
import { startProgram } from "../fixtures/program.ts";
import { CONSTANT_SOURCE } from "../fixtures/sources.ts";
import type { ComparisonRow } from "../harness/row.ts";

// Both send the same request through one interceptor to the same server on loopback, over a connection that is open.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "undici-constant",
  title: "undici interceptor, constant credential",
  against: "an interceptor that only hands on, constant header (p50)",
  figure: "cost",
  decides: "wall",
  goal: { limit: "at most", value: 1.05 },
  shortBecause:
    "As with fetch, the interceptor's code runs from cold caches after each wait for the network. Its time with a dispatcher that answers at once was not measured.",
  async open() {
    const api = await startProgram(import.meta.resolve("../fixtures/api-program.ts"));
    return {
      product: eachTimed(dispatchSigned(api.url, CONSTANT_SOURCE)),
      peer: eachTimed(dispatchPlain(api.url)),
      close: api.close,
    };
  },
};
