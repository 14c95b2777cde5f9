import { manyAtOnce } from "../fixtures/contenders.ts";
import { signer } from "../fixtures/signing.ts";
import type { ComparisonRow } from "../harness/row.ts";
import { dpopSign } from "../peers/dpop.ts";

export const row: ComparisonRow = {
  kind: "comparison",
  name: "sign-32-vs-dpop",
  title: "sign, 32 at once (dpop)",
  against: "dpop: an Ed25519 proof for each request",
  figure: "speed",
  decides: "wall",
  goal: { limit: "at least", value: 1.1 },
  shortBecause:
    "The peer signs by WebCrypto, which uses the second core; ours signs on the calling thread.",
  open: async () => ({ product: manyAtOnce(signer()), peer: manyAtOnce(await dpopSign()) }),
};
