import type { Credential, CredentialOptions, CredentialSource } from "@countersign/agent-key";
import type { Admission, Recovery } from "../exchange/admission.js";
import type { RawFields } from "../head/raw-fields.js";
import type { AuditIdentity } from "../refusal/audit-entry.js";
import { refusalOfSource } from "./signing-authorization.js";

/** What depends on the credential of an attempt, and where it may go. */
export interface SigningAttemptsOptions {
  /** The upstream's. */
  readonly origin: string;
  readonly maxBodyBytes: number;
  /** How the source is waited for. */
  readonly patience: CredentialOptions;
  readonly fieldsOf: (credential: Credential, signal: AbortSignal) => Promise<RawFields>;
  readonly trailersOf: (credential: Credential) => Admission["keepTrailer"];
}

/**
 * The attempts of one admitted request: each result is reported to its source.
 *
 * A class because V8 makes a hidden class in its old generation for each object literal with getters, and that keeps the whole request until
 * the next full collection.
 */
export class SigningAttempts implements Admission, Recovery {
  readonly fields: RawFields;
  readonly maxBodyBytes: number;
  readonly #source: CredentialSource;
  readonly #options: SigningAttemptsOptions;
  // What the last attempt was, or is to be, authorised with.
  #credential: Credential;

  /** @param fields - those of the first attempt */
  constructor(
    source: CredentialSource,
    credential: Credential,
    fields: RawFields,
    options: SigningAttemptsOptions,
  ) {
    this.#source = source;
    this.#credential = credential;
    this.#options = options;
    this.maxBodyBytes = options.maxBodyBytes;
    this.fields = fields;
  }

  get keepTrailer(): Admission["keepTrailer"] {
    return this.#options.trailersOf(this.#credential);
  }

  get identity(): AuditIdentity {
    const credential = this.#credential;
    if (credential.kind !== "agent") return {};
    return { agent_runtime_id: credential.agentRuntimeId, task_id: credential.taskId };
  }

  get recovery(): Recovery {
    return this;
  }

  accepted(): void {
    this.#source.accepted(this.#credential, this.#options.origin);
  }

  async refused(
    code: Parameters<Recovery["refused"]>[0],
    signal: AbortSignal,
  ): Promise<(() => RawFields) | undefined> {
    try {
      const { origin, fieldsOf, patience } = this.#options;
      const refusal = { code, origin };
      const wait = { ...patience, signal };
      const other = await this.#source.refused(this.#credential, refusal, wait);
      if (other === undefined) return undefined;
      const fields = await fieldsOf(other, signal);
      return () => {
        this.#credential = other;
        return fields;
      };
    } catch (error) {
      throw refusalOfSource(error);
    }
  }
}
