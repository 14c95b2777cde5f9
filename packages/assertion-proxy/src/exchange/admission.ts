import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Code } from "@countersign/agent-key";
import type { RawFields } from "../head/raw-fields.js";
import type { AuditIdentity } from "../refusal/audit-entry.js";
import type { RequestRefusal } from "../refusal/request-refusal.js";

/** What a proxy decided about a request that may pass. */
export interface Admission {
  /** The fields for the upstream, built from nothing, what the proxy adds last. `Host`, `Connection` and the framing are not among them. */
  readonly fields: RawFields;
  /** Returns whether a field of the trailer section goes to the upstream. Takes the name as the client wrote it. */
  readonly keepTrailer: (rawName: string) => boolean;
  /** For the audit entry; read when the request is over. */
  readonly identity: AuditIdentity;
  /** What to do about the upstream's 401. Absent: nothing. */
  readonly recovery?: Recovery | undefined;
  /** How to look again whether an open request may stay open. Absent: it may until it ends. */
  readonly recheck?: Recheck | undefined;
}

/** Takes a place among verified requests for the caller, once its signature held. Throws the refusal if there is no place. */
export type TakePlace = (caller: AuditIdentity) => void;

/** Takes what is called once a request is over, or at once if it is over already. */
export type WhenOver = (listener: () => void) => void;

/** Looks again at what an open request stands on. */
export interface Recheck {
  /** Equal for all requests that stand on the same, so that one look serves them all. */
  readonly key: string;
  /** Rejects when they must end; the error's code says why. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** Sends a request once more, under another credential, after the upstream answered it with 401. */
export interface Recovery {
  /** Bytes of a body that are kept while it is sent; a longer body is sent once. */
  readonly maxBodyBytes: number;
  /** Called if the upstream answered with any status but 401, the first time or the second. */
  accepted(): void;
  /**
   * Takes the upstream's 401.
   *
   * @param code - the reason of the 401; `undefined` if the upstream gave none
   * @returns a function that gives the fields of the one repetition, called when it is sent; `undefined` if the client gets the 401
   * @throws the refusal that the client gets instead of the 401
   */
  refused(code: Code | undefined, signal: AbortSignal): Promise<(() => RawFields) | undefined>;
}

/** Reads the body of a request that is not admitted yet. */
export interface BodyReader {
  /**
   * Reads the whole body, which then goes to the upstream from memory.
   *
   * @throws {RequestRefusal} `invalid_request` with status 413 when it is longer than `maxBytes`
   */
  read(maxBytes: number): Promise<Buffer>;
}

/** What a policy gets beside a request. */
export interface AdmitContext {
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** For a policy that must read the body first; if it is not read here, the body streams through. */
  readonly body: BodyReader;
  /** Called once the signature held, by a policy that has `addressOf`. */
  readonly takePlace: TakePlace;
  /** For what a policy keeps for a request. */
  readonly whenOver: WhenOver;
  /** For the directory, or the authority with which something is registered. */
  readonly requestId: string;
}

/** What makes a signing proxy, a verifying gateway or an authorizer of the common base. */
export interface ProxyPolicy {
  /**
   * Puts method, target and fields of the request that is to be judged in place of those of a request that only asks about it. First of
   * all. Absent: requests are judged as they came.
   *
   * @throws {RequestRefusal} if the caller may not ask, or it is not clear which request is meant
   */
  restore?(request: IncomingMessage): void;
  /**
   * Decides by the head alone whether the caller may use the proxy at all, before anything but names is looked at. Absent:
   * every caller may.
   *
   * @throws {RequestRefusal} if the caller may not use the proxy
   */
  guard?(request: IncomingMessage): void;
  /** Judges the names of a client's header or trailer section, as `ForwardedFields.checkNames` does, before anything else is read. */
  checkNames(fields: RawFields): number;
  /**
   * Decides whether a request may pass. The body was not read, and nothing was dialled.
   *
   * @throws a `CountersignError` whose code becomes the refusal; anything else is `server_error`
   */
  admit(request: IncomingMessage, context: AdmitContext): Promise<Admission>;
  /** The address of the client, as far as it is known. Asked once, after `restore`. Absent: the other end of the connection. */
  clientAddressOf?(request: IncomingMessage): string | undefined;
  /**
   * Whose share a request takes until its signature held: the client's address or network, `undefined` if that is not known. Absent: no
   * signature is checked, and a request takes its place at once.
   */
  addressOf?(request: IncomingMessage): string | undefined;
  /** Whose share a connection takes: as `addressOf`. `undefined`: a trusted proxy's. Absent: connections are not limited. */
  connectionAddressOf?(socket: Socket): string | undefined;
  /** Looks at the upstream's head before anything of it reaches the client; a refusal is answered in its place. */
  judge?(status: number, fields: RawFields): RequestRefusal | undefined;
  /**
   * Returns whether a text of the client contains a secret that goes neither to the upstream nor into the audit. Takes one character for each
   * byte. Absent: no text does.
   */
  readonly isSecret?: ((text: string) => boolean) | undefined;
  /** Returns, by comparable name, whether the client gets an end-to-end field of the upstream's answer. Absent: it gets all of them. */
  readonly keepsAnswerField?: (name: string) => boolean;
}
