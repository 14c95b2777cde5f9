import type { Output } from "./output.js";

const QUIET_MS = 1000;

/** Shows a waiting person what the program is doing. */
export interface Progress {
  /** Shows a state: with a spinner on a terminal, otherwise as a line. A state that is already shown is not repeated. */
  show(state: string): void;
  /** Shows the time so far, in milliseconds, beside the spinner. It is not a state, so a log gets no line for it. */
  waited(elapsedMs: number): void;
}

/**
 * Does work that may take long. In the first second nothing is shown. After it the state is shown on stderr: with a spinner on a
 * terminal, otherwise as one line for each state.
 *
 * @param state - the state until the work shows another one
 */
export async function withProgress<T>(
  output: Output,
  state: string,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const display = output.stderr.isTTY ? createSpinnerDisplay(output) : createLineDisplay(output);
  let current = state;
  let elapsedMs = 0;
  let quiet = true;
  const show = () => {
    if (!quiet) display.show(current, elapsedMs);
  };
  const timer = setTimeout(() => {
    quiet = false;
    show();
  }, QUIET_MS);
  try {
    return await work({
      show(next) {
        // The time so far belongs to the previous state.
        if (next !== current) elapsedMs = 0;
        current = next;
        show();
      },
      waited(soFarMs) {
        elapsedMs = soFarMs;
        // The caller has measured the time, so it is shown even before the timer here ends.
        quiet = false;
        show();
      },
    });
  } finally {
    clearTimeout(timer);
    display.stop();
  }
}

interface Display {
  show(state: string, elapsedMs: number): void;
  stop(): void;
}

function createLineDisplay(output: Output): Display {
  let last: string | undefined;
  return {
    show(state) {
      if (state === last) return;
      last = state;
      output.note(state);
    },
    stop() {},
  };
}

function createSpinnerDisplay(output: Output): Display {
  let text = "";
  let stopped = false;
  let spinner: { text: string; stop(): unknown } | undefined;
  const start = async (): Promise<void> => {
    const { default: createSpinner } = await import("yocto-spinner");
    if (stopped || spinner !== undefined) return;
    const { stderr: stream } = output;
    spinner = createSpinner({ text, stream, handleSignals: false }).start();
  };
  return {
    show(state, elapsedMs) {
      text = elapsedMs === 0 ? state : `${state} (${Math.round(elapsedMs / 1000)} s)`;
      if (spinner === undefined) start().catch(() => output.note(text));
      else spinner.text = text;
    },
    stop() {
      stopped = true;
      spinner?.stop();
    },
  };
}
