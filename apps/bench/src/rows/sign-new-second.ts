import { AssertionSigner } from "@countersign/agent-assertion";
import { CREDENTIAL } from "../fixtures/agent.ts";
import { signWithReadyKey } from "../fixtures/ready-key.ts";
import type { ComparisonRow } from "../harness/row.ts";

// The clock goes on by a second for each header, so that none is taken from the kept ones. The limit signs a text of the same length and
// makes no header of it.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "sign-new-second",
  title: "sign, each header in a new second",
  against: "crypto.sign with a ready key",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 0.91 },
  shortBecause:
    "Beside the signature, the text, the JSON and the base64url of the field and its kept entry are left, about a tenth.",
  async open() {
    let now = Date.now();
    const signer = new AssertionSigner({
      now: () => {
        now += 1_000;
        return now;
      },
    });
    return {
      product: {
        run: (times) => {
          for (let at = 0; at < times; at += 1) signer.header(CREDENTIAL);
          return undefined;
        },
      },
      peer: signWithReadyKey(),
    };
  },
};
