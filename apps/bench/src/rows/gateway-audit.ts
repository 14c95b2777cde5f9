import type { ComparisonRow } from "../harness/row.ts";
import { compareGateways } from "../servers/gateway-comparison.ts";

export const row: ComparisonRow = {
  kind: "comparison",
  name: "gateway-audit",
  title: "countersign gateway, audit of a request to a file",
  against: "countersign gateway without --audit",
  figure: { extra: "µs" },
  decides: "cpu",
  goal: { limit: "at most", value: 20 },
  tooLongForQuick: "it starts several servers",
  open: () =>
    compareGateways(async (stage) => ({
      product: stage.repeated(await stage.command({ audit: true })),
      peer: stage.repeated(await stage.command({ audit: false })),
    })),
};
