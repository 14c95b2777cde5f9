/** The body of an answer that can be broken off. */
export interface EndableStream {
  readonly body: ReadableStream<Uint8Array>;
  /** Breaks it off, so that it does not look whole. */
  end(error: unknown): void;
}

/** @param onEnd - called once, when the stream ended in any way */
export function endableStream(
  source: ReadableStream<Uint8Array>,
  onEnd: () => void,
): EndableStream {
  const reader = source.getReader();
  let control: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        control = controller;
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          onEnd();
          controller.close();
        } catch (error) {
          onEnd();
          controller.error(error);
        }
      },
      async cancel(reason) {
        onEnd();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    end(error) {
      onEnd();
      control?.error(error);
      reader.cancel(error).catch(() => undefined);
    },
  };
}
