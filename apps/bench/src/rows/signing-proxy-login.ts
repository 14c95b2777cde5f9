import type { ComparisonRow } from "../harness/row.ts";
import { compareSigningProxies } from "../servers/signing-proxy-comparison.ts";

export const row: ComparisonRow = {
  kind: "comparison",
  name: "signing-proxy-login",
  title: "countersign proxy with the login and stored task of a home",
  against: "a signing proxy with a constant credential",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 0.95 },
  tooLongForQuick: "it starts several servers",
  open: compareSigningProxies,
};
