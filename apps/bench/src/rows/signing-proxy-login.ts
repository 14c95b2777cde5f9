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
  shortBecause:
    "A profile shows the look at the home (lstat, getuid) as 3 % of the proxy's CPU, and the code of identity and task as 2 %. What they allocate is collected more often, since the young generation is kept small.",
  tooLongForQuick: "it starts several servers",
  open: compareSigningProxies,
};
