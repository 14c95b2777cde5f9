import { oneAtATime } from "../fixtures/contenders.ts";
import { signer } from "../fixtures/signing.ts";
import type { ComparisonRow } from "../harness/row.ts";
import { dpopSign } from "../peers/dpop.ts";

export const row: ComparisonRow = {
  kind: "comparison",
  name: "sign-vs-dpop",
  title: "sign, one at a time (dpop)",
  against: "dpop: an Ed25519 proof for each request",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 3 },
  shortBecause:
    "Nine tenths of our time is the signature itself, as the first row shows: without everything else it would still be short.",
  open: async () => ({ product: oneAtATime(signer()), peer: oneAtATime(await dpopSign()) }),
};
