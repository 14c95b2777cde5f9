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
  tooLongForQuick: "it starts several servers",
  open: () =>
    compareGateways(async (stage) => ({
      product: stage.repeated(await stage.unverified()),
      peer: stage.repeated(await stage.plainProxy()),
    })),
};
