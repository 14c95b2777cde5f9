import { oneAtATime } from "../fixtures/contenders.ts";
import { signedHeaders } from "../fixtures/signed-headers.ts";
import { verifyAll } from "../fixtures/verifying.ts";
import type { ComparisonRow } from "../harness/row.ts";
import { webBotAuthVerify } from "../peers/web-bot-auth.ts";

// Ours gets a header that it has not seen each time, since the peer remembers no signature either. Ours looks up agent and task as well.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "verify-vs-web-bot-auth",
  title: "verify, one at a time (web-bot-auth)",
  against: "web-bot-auth: an Ed25519 message signature",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 1.3 },
  open: async () => ({
    product: verifyAll(signedHeaders()),
    peer: oneAtATime(await webBotAuthVerify()),
  }),
};
