import { hkdfSync, randomBytes } from "node:crypto";
import {
  AgentKey,
  type AgentSigner,
  decodeBase64,
  encodeBase64,
  type SyncAgentSigner,
} from "@countersign/agent-key";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { CredentialStore } from "./credential-store.js";
import { type EntryKey, entryKeyOf } from "./entry-key.js";
import { unreadableIdentity } from "./identity-owner.js";
import type { StoredIdentity } from "./schema/credentials.js";

const SECRET_BYTES = 32;

/** A key for a new registration or rotation, as an entry keeps it. */
export type FreshKey = EntryKey & Pick<StoredIdentity, "idempotency_secret">;

/** The keys of stored identities: those in the store, or those of signers that keep them elsewhere. */
export class AgentKeys {
  readonly #store: Pick<CredentialStore, "description">;
  /** By the OpenSSH line of the public key. `undefined`: the private keys are in the store. */
  readonly #signers: Map<string, AgentSigner> | undefined;
  readonly #first: AgentSigner | undefined;

  /** @param signers - the first one registers; the others are found by their public keys. Absent: keys are made here and kept in the store */
  constructor(
    store: Pick<CredentialStore, "description">,
    signers: readonly AgentSigner[] | undefined,
  ) {
    this.#store = store;
    this.#first = signers?.[0];
    this.#signers = signers && new Map(signers.map((one) => [one.publicKey.line, one]));
  }

  /** Makes known a signer that takes over. */
  add(signer: AgentSigner): void {
    this.#signers?.set(signer.publicKey.line, signer);
  }

  /** Whether private keys are kept elsewhere. */
  get isElsewhere(): boolean {
    return this.#signers !== undefined;
  }

  /** A key for an agent that has none: the first signer's, or one that is made. */
  fresh(): FreshKey {
    return this.#first === undefined
      ? { private_key: AgentKey.generate().exportPkcs8() }
      : this.kept(this.#first);
  }

  /** How a signer's key is kept: by its public line, with a secret for its idempotency keys if it derives none itself. */
  kept(signer: AgentSigner, secret?: string): FreshKey {
    const public_key = signer.publicKey.line;
    if (signer.deriveSecret !== undefined) return { public_key };
    return { public_key, idempotency_secret: secret ?? encodeBase64(randomBytes(SECRET_BYTES)) };
  }

  /**
   * The key of a stored identity that its agent signs with.
   *
   * @throws {StoreError} `store_corrupt` if it is not valid
   * @throws {AgentIdentityError} `config_invalid` if it is kept elsewhere and no signer of it was given, or is in the store and signers were given
   */
  keyOf(entry: StoredIdentity): AgentSigner {
    if (this.isElsewhere && entry.private_key !== undefined) throw keyInStore(this.#store);
    return this.find(entryKeyOf(entry), entry);
  }

  /**
   * A key that an entry names: its own, or the one that takes over.
   *
   * @throws as {@link AgentKeys.keyOf}; a private key in the store is taken too
   */
  find(
    key: EntryKey | undefined,
    entry: Pick<StoredIdentity, "idempotency_secret" | "next_private_key">,
  ): AgentSigner {
    if (key?.private_key !== undefined) {
      const isNext = key.private_key === entry.next_private_key;
      return importKey(key.private_key, this.#store, isNext ? NEXT_PROBLEM : OWN_PROBLEM);
    }
    const line = key?.public_key ?? "";
    const signer = this.#signers?.get(line);
    if (signer === undefined) throw noSigner(line, this.#store);
    return withSecret(signer, entry.idempotency_secret);
  }
}

const OWN_PROBLEM = "its private key is not valid";
const NEXT_PROBLEM = "the key of its unfinished rotation is not valid";

function importKey(
  privateKey: string,
  store: Pick<CredentialStore, "description">,
  problem: string,
): AgentKey {
  try {
    return AgentKey.importPkcs8(privateKey);
  } catch (cause) {
    throw unreadableIdentity(store, problem, cause);
  }
}

// A signer that derives nothing itself gets its idempotency keys from the secret of the store.
function withSecret(signer: AgentSigner, secret: string | undefined): AgentSigner {
  const bytes = secret === undefined ? undefined : secretBytes(secret);
  if (bytes === undefined || signer.deriveSecret !== undefined) return signer;
  const { signText, toX25519PrivateKey }: Partial<SyncAgentSigner> = signer;
  return {
    publicKey: signer.publicKey,
    sign: (message, options) => signer.sign(message, options),
    ...(signText && { signText: (text: string) => signText.call(signer, text) }),
    ...(toX25519PrivateKey && { toX25519PrivateKey: () => toX25519PrivateKey.call(signer) }),
    deriveSecret: (info) =>
      new Uint8Array(hkdfSync("sha256", bytes, new Uint8Array(0), info, SECRET_BYTES)),
  };
}

function secretBytes(secret: string): Uint8Array | undefined {
  try {
    const bytes = decodeBase64(secret);
    return bytes.length === SECRET_BYTES ? bytes : undefined;
  } catch {
    // It decides only whether a lost thread gets the same task again: idempotency keys are then random.
    return undefined;
  }
}

function noSigner(
  line: string,
  { description }: Pick<CredentialStore, "description">,
): AgentIdentityError {
  return new AgentIdentityError(
    "config_invalid",
    `the key of the agent in ${description} is kept elsewhere, and its signer was not given: ${line}`,
    {
      hint: "give the signer of this public key in `signers`, or forget this identity",
    },
  );
}

function keyInStore({ description }: Pick<CredentialStore, "description">): AgentIdentityError {
  return new AgentIdentityError(
    "config_invalid",
    `signers were given, but the private key of the agent is in ${description}`,
    {
      hint: "rotate it to a signer: rotate({ next }); or forget this identity, and the next call registers another agent",
    },
  );
}
