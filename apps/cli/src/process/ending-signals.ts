/** The signals that ask this process to end. */
export const ENDING_SIGNALS = ["SIGINT", "SIGTERM"] as const;

type EndingSignal = (typeof ENDING_SIGNALS)[number];

const takers: ((name: EndingSignal) => void)[] = [];

/** Lets `listener` be called for each signal that asks this process to end, unless {@link takeEndingSignals} takes it. */
export function onEndingSignal(listener: () => void): void {
  for (const name of ENDING_SIGNALS) {
    // Not `once`: the second signal is answered too.
    process.on(name, () => {
      const taker = takers.at(-1) ?? listener;
      taker(name);
    });
  }
}

/** Takes the signals over for as long as another process decides when this one ends. */
export function takeEndingSignals(taker: (name: EndingSignal) => void): Disposable {
  takers.push(taker);
  return {
    [Symbol.dispose]() {
      takers.splice(takers.indexOf(taker), 1);
    },
  };
}
