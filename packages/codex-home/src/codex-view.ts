import {
  type Credentials,
  guardCredentials,
  isFormerKey,
  publicLineOf,
  type StoredIdentity,
  type UnreadableMember,
} from "@countersign/agent-identity";
import { StoreError } from "@countersign/agent-key";
import { type AuthFile, formatAuthFile, identityText } from "./auth-file.js";
import {
  type CodexForm,
  type CodexIdentity,
  formatCodexIdentity,
  homeMembersOf,
  parseCodexIdentity,
} from "./codex-identity.js";
import { type CodexLogin, type CodexLoginOptions, parseCodexLogin } from "./codex-login.js";

/** What a change of a {@link CodexView} writes. */
export interface CodexChange {
  /** New content of the store beside. */
  readonly beside: Credentials;
  /** New text of `auth.json`; `undefined`: it stays as it is. */
  readonly text: string | undefined;
}

/** Options of a {@link CodexView}. */
export interface CodexViewOptions extends CodexLoginOptions {
  /** Names `auth.json` in errors. */
  readonly description: string;
  /** The form that is written, also in place of the same agent in the other form. `undefined`: A, and the other form stays. */
  readonly form?: CodexForm | undefined;
}

/**
 * `auth.json` and the store beside it as one content: the login is Codex's; the identities are the one in `auth.json` and all of the store
 * beside.
 *
 * `auth.json` has room for one identity. The store beside also keeps that identity, in the form that is written here, so that it is not lost
 * when Codex writes another one. If both have an identity of the same owner, the one in `auth.json` counts, because Codex may have registered
 * again. If both have the same agent, the key in the store beside counts; it replaces the other key only if it is known to have replaced it.
 */
export class CodexView {
  /** What a reader is given. */
  readonly credentials: Credentials;
  readonly #file: AuthFile | undefined;
  readonly #beside: Credentials;
  readonly #login: CodexLogin;
  readonly #identity: CodexIdentity;
  readonly #description: string;
  readonly #form: CodexForm | undefined;

  /** @param file - `undefined`: there is no file, so there is no login */
  constructor(file: AuthFile | undefined, beside: Credentials, options: CodexViewOptions) {
    this.#form = options.form;
    this.#file = file;
    this.#beside = beside;
    this.#description = options.description;
    this.#login = file === undefined ? { login: null } : parseCodexLogin(file.value, options);
    this.#identity = withKnown(
      parseCodexIdentity(file?.value.agent_identity, options.authority, options.form),
      beside,
    );
    const unreadable = [
      ...(beside.unreadable ?? []).filter(({ member }) => member !== "login"),
      ...this.#ownUnreadable(),
    ];
    this.credentials = guardCredentials({
      ...beside,
      login: this.#login.login,
      identities: this.#identities(),
      unreadable: unreadable.length === 0 ? undefined : unreadable,
    });
  }

  /**
   * Works out what to write for a changed content.
   *
   * @throws {StoreError} `store_denied` when the login was changed: it is Codex's
   */
  change(next: Credentials): CodexChange {
    const { unreadable = this.credentials.unreadable ?? [] } = next;
    this.#assertSameLogin(next, unreadable);
    const own = this.#ownUnreadable();
    const hidden = (this.#beside.unreadable ?? []).filter(({ member }) => member === "login");
    const beside: Credentials = {
      ...next,
      login: this.#beside.login,
      identities: next.identities.filter((entry) => !this.#isOther(entry)),
      unreadable: [...unreadable.filter((member) => !own.includes(member)), ...hidden],
    };
    if (this.#file === undefined) return { beside, text: undefined };
    const before = identityText(this.#file);
    const after = this.#identityText(next, unreadable, before);
    return { beside, text: after === before ? undefined : formatAuthFile(this.#file, after) };
  }

  #identities(): readonly StoredIdentity[] {
    const { identities } = this.#beside;
    const { kind } = this.#identity;
    const entry = this.#entry();
    if (entry === undefined) return identities;
    const others = identities.filter((other) => !isSameOwner(other, entry));
    // An object of another program is never replaced, so what was registered in its place stands beside it and counts.
    if (kind === "other" && others.length < identities.length) return identities;
    // The same agent with another key was rotated here, and Codex has put back what it had read before: it rotates nothing itself.
    if (identities.some((other) => isRotated(other, entry))) return identities;
    return [...others, entry];
  }

  #entry(): StoredIdentity | undefined {
    return "entry" in this.#identity ? this.#identity.entry : undefined;
  }

  #isOther(entry: StoredIdentity): boolean {
    return this.#identity.kind === "other" && entry === this.#identity.entry;
  }

  #ownUnreadable(): UnreadableMember[] {
    const { unreadable } = this.#login;
    const identity = this.#identity.kind === "unreadable" ? [this.#identity.member] : [];
    return unreadable === undefined ? identity : [unreadable, ...identity];
  }

  #assertSameLogin(next: Credentials, unreadable: readonly UnreadableMember[]): void {
    const isSame = JSON.stringify(next.login) === JSON.stringify(this.#login.login);
    const broken = this.#login.unreadable;
    if (isSame && (broken === undefined || unreadable.includes(broken))) return;
    throw new StoreError(
      "store_denied",
      `the login of ${this.#description} is changed by Codex alone`,
      {
        hint: "use `codex login`, which may remove the agent in the file: countersign identity import keeps it",
      },
    );
  }

  #identityText(
    next: Credentials,
    unreadable: readonly UnreadableMember[],
    before: string | undefined,
  ): string | undefined {
    switch (this.#identity.kind) {
      case "own":
        return this.#ownText(next, this.#identity.entry, before);
      case "other": {
        const { entry } = this.#identity;
        if (entry === undefined) return before;
        const mine = next.identities.find((other) => isSameOwner(other, entry));
        // Forgotten: otherwise it would be there again, or stay after what stands beside it is gone.
        if (mine === undefined) return undefined;
        return this.#convertedText(mine, entry) ?? before;
      }
      case "unreadable":
        return unreadable.includes(this.#identity.member) ? before : undefined;
      case "token":
        return before;
    }
  }

  // Only what is kept beside as well may lose the form in which it was written.
  #convertedText(mine: StoredIdentity, entry: StoredIdentity): string | undefined {
    const { login } = this.#login;
    const isMine = login?.kind === "human" && isSameOwner(mine, login) && mine !== entry;
    if (this.#form === undefined || !isMine || !isSameAgent(mine, entry)) return undefined;
    if (mine.private_key === undefined) return undefined;
    return formatCodexIdentity(mine, this.#form, undefined);
  }

  #ownText(
    next: Credentials,
    entry: StoredIdentity | undefined,
    before: string | undefined,
  ): string | undefined {
    const { login } = this.#login;
    const mine = next.identities.find(
      (one) =>
        login?.kind === "human" &&
        one.state === "registered" &&
        // Codex signs with a key in its file alone.
        one.private_key !== undefined &&
        isSameOwner(one, login),
    );
    const kept = mine ?? next.identities.find((one) => one === entry);
    if (kept === undefined) return entry === undefined ? before : undefined;
    if (kept === entry || (entry !== undefined && mayBeNewer(entry, kept))) return before;
    return formatCodexIdentity(kept, this.#form ?? "A", entry === undefined ? undefined : before);
  }
}

/**
 * A key that was registered here with one authority stays that authority's, whatever the caller says of the Codex home later. What is known
 * of it here alone, such as a rotation that is on its way, stands beside alone: Codex would not keep it.
 */
function withKnown(identity: CodexIdentity, beside: Credentials): CodexIdentity {
  if (identity.kind !== "own" || identity.entry === undefined) return identity;
  const { entry } = identity;
  const known = beside.identities.find(({ private_key }) => private_key === entry.private_key);
  if (known === undefined) return identity;
  const { authority } = known;
  return { ...identity, entry: { ...entry, authority, ...homeMembersOf(known) } };
}

// Of one key, or of one that it is known to have replaced.
function isSameAgent(mine: StoredIdentity, entry: StoredIdentity): boolean {
  const line = publicLineOf(entry);
  if (line === undefined || mine.agent_runtime_id !== entry.agent_runtime_id) return false;
  return publicLineOf(mine) === line || isFormerKey(mine, line);
}

function isRotated(beside: StoredIdentity, entry: StoredIdentity): boolean {
  return (
    isSameOwner(beside, entry) &&
    beside.agent_runtime_id === entry.agent_runtime_id &&
    beside.private_key !== entry.private_key
  );
}

/** The same agent may have been rotated elsewhere: a key that the one kept here is not known to have replaced may be its only live one. */
function mayBeNewer(entry: StoredIdentity, kept: StoredIdentity): boolean {
  const line = publicLineOf(entry);
  return line !== undefined && isRotated(kept, entry) && !isFormerKey(kept, line);
}

interface Owner {
  readonly authority: string;
  readonly account_id: string;
  readonly user_id: string;
}

function isSameOwner(one: Owner, other: Owner): boolean {
  return (
    one.authority === other.authority &&
    one.account_id === other.account_id &&
    one.user_id === other.user_id
  );
}
