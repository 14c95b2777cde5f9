import type { ComparisonRow } from "../harness/row.ts";
import { compareGateways } from "../servers/gateway-comparison.ts";

export const row: ComparisonRow = {
  kind: "comparison",
  name: "gateway-verify-repeated",
  title: "gateway, verification of a header that comes again",
  against: "the gateway with a verifier that takes everything",
  figure: { extra: "µs" },
  decides: "cpu",
  goal: { limit: "at most", value: 20 },
  tooLongForQuick: "it starts several servers",
  open: () =>
    compareGateways(async (stage) => ({
      product: stage.repeated(await stage.verifying()),
      peer: stage.repeated(await stage.unverified()),
    })),
};
