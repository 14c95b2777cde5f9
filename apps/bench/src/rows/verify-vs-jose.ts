import { oneAtATime } from "../fixtures/contenders.ts";
import { signedHeaders } from "../fixtures/signed-headers.ts";
import { verifyAll } from "../fixtures/verifying.ts";
import type { ComparisonRow } from "../harness/row.ts";
import { joseVerify } from "../peers/jose.ts";

// Ours gets a header that it has not seen each time, since the peer remembers no signature either. Ours looks up agent and task as well.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "verify-vs-jose",
  title: "verify, one at a time (jose)",
  against: "jose: an EdDSA JWT with issuer, audience and times",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 1.3 },
  shortBecause: "As for assertions that are all different: what stands beside the signature.",
  open: async () => ({ product: verifyAll(signedHeaders()), peer: oneAtATime(await joseVerify()) }),
};
