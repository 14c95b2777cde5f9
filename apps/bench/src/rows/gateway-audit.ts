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
  shortBecause:
    "An entry that is written alone takes 8 µs. What the rest is, is not yet known: the row compares two processes, and its quartiles are far apart.",
  tooLongForQuick: "it starts several servers",
  open: () =>
    compareGateways(async (stage) => ({
      product: stage.repeated(await stage.command({ audit: true })),
      peer: stage.repeated(await stage.command({ audit: false })),
    })),
};
