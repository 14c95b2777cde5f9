import type { IncomingMessage } from "node:http";
import type { Code } from "@countersign/agent-key/codes";
import { MAX_PROBLEM_BYTES, refusalCode } from "@countersign/agent-key/problem";
import { fieldValues } from "../head/raw-fields.js";

/**
 * An upstream's 401 while it is not decided whether the client gets it. Its body is read only as far as it takes to learn the reason, and
 * what was read of it can be sent on.
 */
export class RefusedAnswer {
  readonly incoming: IncomingMessage;
  /** What was read of the body so far. */
  readonly start: Buffer[] = [];

  constructor(incoming: IncomingMessage) {
    this.incoming = incoming;
  }

  /**
   * Reads why the upstream refused, from `WWW-Authenticate`, otherwise from problem+json. The code is a hint: the caller must not trust it
   * further than protocol.md §10 says.
   */
  code(): Promise<Code | undefined> {
    const raw = this.incoming.rawHeaders;
    const fields = {
      wwwAuthenticate: fieldValues(raw, "www-authenticate").join(", "),
      contentType: fieldValues(raw, "content-type")[0],
    };
    return refusalCode(fields, async () => {
      await this.#readStart();
      return Buffer.concat(this.start).toString("utf8");
    });
  }

  /** Settles at the end of the body, when it breaks off, or when more than 64 KiB of it were read. */
  async #readStart(): Promise<void> {
    const { incoming, start } = this;
    let bytes = 0;
    await new Promise<void>((resolve) => {
      const onData = (chunk: Buffer): void => {
        start.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_PROBLEM_BYTES) settle();
      };
      const settle = (): void => {
        incoming.off("data", onData).off("end", settle).off("close", settle);
        incoming.pause();
        resolve();
      };
      incoming.on("data", onData).on("end", settle).on("close", settle);
    });
  }
}
