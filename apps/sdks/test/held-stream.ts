import { MODEL_ANSWER, type UpstreamHandler } from "@countersign/testing";

const LAST_PIECE = MODEL_ANSWER.split(" ").at(-1) ?? MODEL_ANSWER;

/** An API whose next streamed answer can be held back, for good, before the last piece of its text. */
export interface HeldStream {
  readonly api: UpstreamHandler;
  /** Holds the next one. Resolves once the API has sent all before that. */
  next(): Promise<void>;
}

/** Wraps an API. */
export function heldStream(api: UpstreamHandler): HeldStream {
  let hold: (() => void) | undefined;
  async function* untilLastPiece(events: Iterable<string> | AsyncIterable<string>) {
    for await (const event of events) {
      if (hold !== undefined && event.includes(LAST_PIECE)) {
        hold();
        hold = undefined;
        await new Promise(() => undefined);
      }
      yield event;
    }
  }
  return {
    async api(request) {
      const answer = await api(request);
      if (answer.kind !== "events") return answer;
      return { ...answer, events: untilLastPiece(answer.events) };
    },
    next: () =>
      new Promise((resolve) => {
        hold = resolve;
      }),
  };
}
