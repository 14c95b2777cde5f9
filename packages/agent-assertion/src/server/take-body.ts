import type { Readable } from "node:stream";
import { UnreadableBody } from "./unreadable-body.js";

/** A request whose body can be read: Node's, or one that a framework made up for its tests. */
export interface BodySource extends Readable {
  /** Whether the whole request was received. Only HTTP/1's says so before it ends. */
  readonly complete?: boolean;
}

/** What {@link takeBody} goes by. */
export interface TakeBodyOptions {
  /** The body's length in bytes if `Content-Length` says it. */
  readonly length: number | undefined;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
}

// A second verifier may want the same body, and the stream says of itself that it was read.
const taken = new WeakMap<object, Uint8Array>();

/**
 * Reads a request's whole body and puts it back, so that the next reader finds it unread: by events, by pipe or by iteration.
 *
 * A stream cannot be filled again after it has emitted its end. So the body goes back in the same tick in which its last byte was taken.
 *
 * @throws {UnreadableBody} `invalid_request` for a body over `maxBytes` (413), or one of HTTP/2 without `Content-Length` (411);
 * `cancelled` when the client went away or the signal fired; `config_invalid` when another reader was there first
 */
export async function takeBody(request: BodySource, options: TakeBodyOptions): Promise<Uint8Array> {
  const { length, maxBytes } = options;
  if (length !== undefined && length > maxBytes) throw tooLarge(maxBytes);
  const before = taken.get(request);
  if (before !== undefined) {
    if (before.length > maxBytes) throw tooLarge(maxBytes);
    return before;
  }
  requireUntouched(request);
  const body = await readAndPutBack(request, options);
  taken.set(request, body);
  return body;
}

function requireUntouched(request: BodySource): void {
  const isTouched =
    request.readableDidRead ||
    request.readableFlowing === true ||
    request.readableEncoding !== null;
  if (isTouched) {
    throw new UnreadableBody(
      "config_invalid",
      "the request's body was read before its assertion was checked",
      {
        hint: "mount the check before whatever reads the body, or give rawBody; Nest: make the application with rawBody: true",
      },
    );
  }
  if (request.destroyed) throw gone();
}

function readAndPutBack(request: BodySource, options: TakeBodyOptions): Promise<Uint8Array> {
  const { length, maxBytes, signal } = options;
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;

    const stop = (): void => {
      request.off("readable", onReadable);
      request.off("end", onEnd);
      request.off("error", onGone);
      request.off("close", onGone);
      signal?.removeEventListener("abort", onGone);
    };
    const fail = (error: UnreadableBody): void => {
      stop();
      // Node drops the rest of a body only if no reader began to read it. Otherwise the connection would stand still.
      request.resume();
      reject(error);
    };
    const onGone = (): void => fail(gone());
    // Once the end was emitted it is too late to put anything back, even if the length was right.
    const onEnd = (): void => {
      const hint = "send Content-Length";
      fail(
        new UnreadableBody("invalid_request", "the body's length is not said", {
          hint,
          status: 411,
        }),
      );
    };
    const onReadable = (): void => {
      // With nothing in it, `read` would tell the end of the stream.
      while (request.readableLength > 0) {
        const chunk: unknown = request.read();
        if (!(chunk instanceof Uint8Array)) break;
        chunks.push(chunk);
        size += chunk.length;
        if (size > maxBytes) {
          fail(tooLarge(maxBytes));
          return;
        }
      }
      if (request.complete !== true && size !== length) {
        // Has the end told where it is there and nothing said that it would be.
        request.read(0);
        return;
      }
      stop();
      const body = Buffer.concat(chunks, size);
      request.unshift(body);
      resolve(body);
    };

    if (signal?.aborted === true) {
      reject(gone());
      return;
    }
    if (request.complete === true && request.readableLength === 0) {
      resolve(new Uint8Array());
      return;
    }
    signal?.addEventListener("abort", onGone, { once: true });
    request.on("error", onGone);
    request.on("close", onGone);
    request.on("end", onEnd);
    request.on("readable", onReadable);
  });
}

/** The error for a body of which more came than a verifier takes. */
export function tooLarge(maxBytes: number): UnreadableBody {
  return new UnreadableBody(
    "invalid_request",
    `the body of a bound request may have ${maxBytes} bytes at most`,
    { status: 413 },
  );
}

function gone(): UnreadableBody {
  return new UnreadableBody("cancelled", "the request ended before its body was read");
}
