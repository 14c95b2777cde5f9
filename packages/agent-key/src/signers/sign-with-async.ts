import { AgentKeyError } from "../agent-key-error.js";
import type { AgentSigner, SignOptions, SyncAgentSigner } from "../agent-signer.js";
import { encodeBase64 } from "../base64.js";
import { signWith } from "../sign-with.js";

const SIGNATURE_BYTES = 64;
const DEFAULT_DEADLINE_MS = 30_000;
// A longer timer of Node fires at once.
const LONGEST_DEADLINE_MS = 2_147_483_647;

/** Options of {@link signWithAsync}. */
export interface SignWithOptions extends SignOptions {
  /** How long the signer may take. Milliseconds, an integer from 1 to 2,147,483,647. Default 30,000. */
  readonly deadlineMs?: number | undefined;
}

/** Whether a signer signs texts at once, as an `AgentKey` does. The signatures of every other signer are checked. */
export function signsAtOnce(signer: AgentSigner): signer is SyncAgentSigner {
  return typeof (signer as Partial<SyncAgentSigner> | undefined)?.signText === "function";
}

/**
 * Signs a text (as UTF-8) with any signer.
 *
 * @returns standard base64 with padding
 * @throws {AgentKeyError} `config_invalid` if it is not a signer, or the deadline is out of its range; `invalid_key` if the signature is not one of its public key; `signer_failed` if the
 * signer throws, rejects or takes too long (`retryable`)
 * @throws the reason of `signal` if the caller ended the call
 */
export async function signWithAsync(
  signer: AgentSigner,
  text: string,
  options: SignWithOptions = {},
): Promise<string> {
  if (signsAtOnce(signer)) return signWith(signer, text);
  assertSigner(signer);
  const { signal: callers, deadlineMs = DEFAULT_DEADLINE_MS } = options;
  if (!Number.isInteger(deadlineMs) || deadlineMs < 1 || deadlineMs > LONGEST_DEADLINE_MS) {
    const range = `an integer from 1 to ${LONGEST_DEADLINE_MS}`;
    throw new AgentKeyError("config_invalid", `deadlineMs must be ${range}, got ${deadlineMs}`, {
      hint: "correct what is given as deadlineMs",
    });
  }
  callers?.throwIfAborted();
  const bytes = Buffer.from(text, "utf8");
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(signerFailed(`gave no signature within ${deadlineMs} ms`)),
    deadlineMs,
  );
  const signal = callers === undefined ? late.signal : AbortSignal.any([callers, late.signal]);
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const signature = await Promise.race([signOnce(signer, bytes, signal), aborted.promise]);
    return encodeBase64(checkedSignature(signer, bytes, signature));
  } finally {
    clearTimeout(timer);
    // With it a caller's signal that lives on would keep every signature's.
    signal.removeEventListener("abort", onAbort);
  }
}

async function signOnce(
  signer: AgentSigner,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return await signer.sign(bytes, { signal });
  } catch (cause) {
    throw signerFailed("gave no signature", cause);
  }
}

function checkedSignature(signer: AgentSigner, bytes: Uint8Array, signature: unknown): Uint8Array {
  if (!(signature instanceof Uint8Array)) {
    throw new AgentKeyError("config_invalid", "the signer's sign() gave no Uint8Array", {
      hint: "return the 64 bytes of the signature, for instance new Uint8Array(buffer)",
    });
  }
  if (signature.length !== SIGNATURE_BYTES) {
    throw new AgentKeyError(
      "invalid_key",
      `the signer's signature must have 64 bytes, got ${signature.length}`,
      { hint: "it must be the raw signature of pure Ed25519, without an envelope around it" },
    );
  }
  if (signer.publicKey.verify(bytes, signature)) return signature;
  throw new AgentKeyError(
    "invalid_key",
    "the signer's signature does not hold under its public key",
    { hint: "the signer must sign with pure Ed25519 and with the private half of its publicKey" },
  );
}

function assertSigner(signer: AgentSigner): void {
  const { publicKey, sign }: Partial<AgentSigner> = signer ?? {};
  if (typeof sign === "function" && typeof publicKey?.verify === "function") return;
  throw new AgentKeyError("config_invalid", "the key must be an AgentSigner", {
    hint: "an AgentKey, or an object with publicKey (an AgentPublicKey) and sign()",
  });
}

function signerFailed(what: string, cause?: unknown): AgentKeyError {
  return new AgentKeyError("signer_failed", `the agent's signer ${what}`, {
    cause,
    retryable: true,
    hint: "look whether the signer (ssh-agent, key management service) can be reached and is unlocked",
  });
}
