import type { ComparisonRow } from "../harness/row.ts";
import { compareGateways } from "../servers/gateway-comparison.ts";

export const row: ComparisonRow = {
  kind: "comparison",
  name: "gateway-http-proxy",
  title: "gateway without verification, with every other guard",
  against: "http-proxy-3",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 0.9 },
  shortBecause:
    "Node's own HTTP client and server are most of what is left. The gateway's part is its index of both heads, one timer of its admission, and the head that it builds from nothing.",
  tooLongForQuick: "it starts several servers",
  open: () =>
    compareGateways(async (stage) => ({
      product: stage.repeated(await stage.unverified()),
      peer: stage.repeated(await stage.plainProxy()),
    })),
};
