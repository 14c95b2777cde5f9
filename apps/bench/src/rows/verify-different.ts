import { signedHeaders } from "../fixtures/signed-headers.ts";
import { verifyAll, verifyWithReadyKey } from "../fixtures/verifying.ts";
import type { ComparisonRow } from "../harness/row.ts";

// More headers than the verifier remembers, in turn: each signature is checked again when its header comes again.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "verify-different",
  title: "verify, all different",
  against: "crypto.verify with a ready key",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 0.93 },
  shortBecause:
    "Strict base64 (decoded, encoded again and compared), the parser that sees repeated members, the look at agent and task, and the kept entry are left beside the signature.",
  async open() {
    const headers = signedHeaders();
    return { product: verifyAll(headers), peer: verifyWithReadyKey(headers) };
  },
};
