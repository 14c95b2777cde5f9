import type { CredentialEnds, ProxyMetrics } from "@countersign/assertion-proxy";
import type { Output } from "../text/output.js";

type Credential = keyof CredentialEnds;

const CHECK_MS = 60_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How long before its end a credential is warned of. */
const MARKS_MS = [7 * DAY_MS, DAY_MS, HOUR_MS, 0];

const WORDS: Readonly<Record<Credential, readonly [what: string, then: string]>> = {
  directory_token: [
    "the token of --authority-token",
    "no request can be verified then; make another with `countersign authority token rotate ID`, and put it into its file",
  ],
  upstream: ["a token of --upstream-header", "the upstream refuses requests then; renew its file"],
  login: [
    "the login",
    "no agent can be registered with it then; log in again with `countersign login`",
  ],
};

/** Finds out which credentials are to be warned of, once for each of the times before the end. */
export class EndWarnings {
  readonly #seen = new Map<Credential, { endsAt: number; passed: number }>();

  /** Returns the warnings that are due. */
  due(ends: CredentialEnds, now: number): string[] {
    return (Object.keys(WORDS) as Credential[]).flatMap((credential) => {
      const endsAt = ends[credential];
      return endsAt === undefined ? [] : this.#dueOf(credential, endsAt, now);
    });
  }

  #dueOf(credential: Credential, endsAt: number, now: number): string[] {
    const left = endsAt - now;
    const passed = MARKS_MS.filter((mark) => left <= mark).length;
    const seen = this.#seen.get(credential);
    if (seen === undefined || endsAt > seen.endsAt) {
      // One that replaces another and lives for an hour is renewed each hour. The first one may be old.
      const known = seen === undefined ? 0 : Math.min(passed, MARKS_MS.length - 1);
      this.#seen.set(credential, { endsAt, passed });
      return passed > known ? [textOf(credential, endsAt, left)] : [];
    }
    // An earlier end is no renewal: a rotation of the token leaves the former one its overlap alone.
    seen.endsAt = endsAt;
    if (passed <= seen.passed) return [];
    seen.passed = passed;
    return [textOf(credential, endsAt, left)];
  }
}

/**
 * Warns before credentials end, and gives the figure its values. Looks each minute, and at once.
 *
 * @param read - gives the ends as they are at each call; what it throws is taken as no end
 */
export function watchCredentialEnds(
  output: Pick<Output, "warn">,
  metrics: ProxyMetrics | undefined,
  read: () => CredentialEnds | Promise<CredentialEnds>,
): Disposable {
  const warnings = new EndWarnings();
  const readOrNone = async (): Promise<CredentialEnds> => {
    try {
      return await read();
    } catch {
      // What cannot be read is reported where it is used.
      return {};
    }
  };
  const check = async () => {
    for (const text of warnings.due(await readOrNone(), Date.now())) output.warn(text);
  };
  metrics?.credentials(readOrNone);
  const timer = setInterval(() => void check(), CHECK_MS).unref();
  void check();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function textOf(credential: Credential, endsAt: number, left: number): string {
  const [what, then] = WORDS[credential];
  const at = new Date(endsAt).toISOString();
  const ends = left <= 0 ? `has ended at ${at}` : `ends in ${inWords(left)}, at ${at}`;
  return `${what} ${ends}: ${then}`;
}

function inWords(ms: number): string {
  if (ms >= 2 * DAY_MS) return `${Math.floor(ms / DAY_MS)} days`;
  if (ms >= 2 * HOUR_MS) return `${Math.floor(ms / HOUR_MS)} hours`;
  return `${Math.max(1, Math.floor(ms / MINUTE_MS))} minutes`;
}
