import { MODEL_ANSWER, type UpstreamHandler } from "@countersign/testing";

const LAST_PIECE = MODEL_ANSWER.split(" ").at(-1) ?? MODEL_ANSWER;

/** An API whose next answer to a call can be held back, for good. What a client asks for ahead of its call is answered as ever. */
export interface HeldAnswer {
  readonly api: UpstreamHandler;
  /** Holds all of it. Resolves once the API has the request. */
  holdWhole(): Promise<void>;
  /** Holds what is streamed from the last piece of its text on. Resolves once the API has sent all before that. */
  holdRest(): Promise<void>;
}

/** Wraps an API. */
export function heldAnswer(api: UpstreamHandler): HeldAnswer {
  let hold: { readonly sendsHead: boolean; readonly resolve: () => void } | undefined;
  const holdNext = (sendsHead: boolean) =>
    new Promise<void>((resolve) => {
      hold = { sendsHead, resolve };
    });
  return {
    async api(request) {
      const answer = await api(request);
      if (hold === undefined) return answer;
      const isStream = answer.kind === "events";
      const pieces = isStream ? await arrayOf(answer.events) : [JSON.stringify(answer)];
      const last = pieces.findIndex((piece) => piece.includes(LAST_PIECE));
      if (last === -1) return isStream ? { ...answer, events: pieces } : answer;
      const { sendsHead, resolve } = hold;
      hold = undefined;
      if (isStream && sendsHead) {
        return { ...answer, events: thenNothing(pieces.slice(0, last), resolve) };
      }
      resolve();
      return { kind: "hold", until: new Promise(() => undefined) };
    },
    holdWhole: () => holdNext(false),
    holdRest: () => holdNext(true),
  };
}

async function* thenNothing(events: readonly string[], sent: () => void): AsyncGenerator<string> {
  yield* events;
  sent();
  await new Promise(() => undefined);
}

async function arrayOf(events: Iterable<string> | AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const event of events) all.push(event);
  return all;
}
