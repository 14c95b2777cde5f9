import type { LifeState, PrincipalState, TokenRole } from "../schema/roles-and-states.js";
import type { AuditEvent, AuditFilter } from "./audit-types.js";
import type {
  AccessTokenFilter,
  AccountFilter,
  AgentFilter,
  TaskFilter,
  UserFilter,
} from "./list-filters.js";

/** Options of {@link Registry.createAccessToken}. */
export interface CreateAccessTokenOptions {
  /** 1 to 256 printable ASCII characters without space, `"`, `,`, `\`. */
  readonly accountId: string;
  /** 1 to 256 printable ASCII characters without space, `"`, `,`, `\`. */
  readonly userId: string;
  readonly role: TokenRole;
  /** What people call it, in lists and in the audit log. 1 to 64 printable ASCII characters; not unique. Default: no name. */
  readonly name?: string | undefined;
  /** What a token of role `operate` may do besides: `tokens`, make tokens and identity JWTs. Default: nothing. */
  readonly scopes?: readonly "tokens"[] | undefined;
  /**
   * The accounts that a token of any role but `human` is for: what belongs to another is to it as if it did not exist. At most 100. Default: all.
   */
  readonly accounts?: readonly string[] | undefined;
  /** Whole seconds until the token ends. Range 1 to 315,360,000 (ten years). */
  readonly ttlSeconds: number;
}

/** A token that was just made. */
export interface CreatedAccessToken {
  /** Names the token in lists and to revoke it; no secret. */
  readonly id: string;
  /** The secret. It is given here once; the store keeps its SHA-256 alone. Read it by its name: no console, JSON or spread shows it. */
  readonly token: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** Options of {@link Registry.rotateAccessToken}. */
interface RotateAccessTokenOptions extends ChangeOptions {
  /** Seconds that the former token is still taken, unless it ends sooner by itself. Range 0 to 2,592,000 (30 days). Default 86,400. */
  readonly overlapSeconds?: number | undefined;
  /**
   * Whole seconds until the new token ends. Range 1 to 315,360,000 (ten years). Default: as long as the former one was to live from its making
   * on.
   */
  readonly ttlSeconds?: number | undefined;
}

/** A token that was just made in place of another. */
interface RotatedAccessToken extends CreatedAccessToken {
  readonly formerId: string;
  /** RFC 3339. Until when the former token is still taken. */
  readonly formerExpiresAt: string;
}

/** An access token in the registry; never the token itself. */
export interface AccessTokenInfo {
  readonly id: string;
  readonly role: TokenRole;
  /** What it may do besides; `undefined`: nothing. */
  readonly scopes?: readonly "tokens"[] | undefined;
  /** The accounts that it is for; `undefined`: all, of a human's token its own. */
  readonly accounts?: readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly accountId: string;
  readonly userId: string;
  readonly state: LifeState;
  /** RFC 3339, as all times here. */
  readonly createdAt: string;
  readonly expiresAt: string;
  /** Up to five minutes before its last use; `undefined`: not used yet. */
  readonly lastUsedAt?: string | undefined;
  readonly revokedAt?: string | undefined;
}

/** An agent in the registry. */
export interface AgentInfo {
  readonly agentRuntimeId: string;
  readonly accountId: string;
  readonly userId: string;
  /** The OpenSSH line of its key. */
  readonly agentPublicKey: string;
  /** Granted capabilities, sorted. */
  readonly capabilities: readonly string[];
  readonly state: LifeState;
  /** Whether it has proved its key by a valid task registration. Before, it is a claim that lapses after 24 hours. */
  readonly proven: boolean;
  /** Whether it is ephemeral (protocol §5.4). Absent: it is lasting. */
  readonly ephemeral?: boolean | undefined;
  /** RFC 3339, as all times here. */
  readonly createdAt: string;
  /** The address that it was registered from; `undefined`: it is not known. */
  readonly address?: string | undefined;
  /** The version of its program, as it said itself when it was registered; `undefined`, also below: it said nothing. No decision rests on it. */
  readonly agentVersion?: string | undefined;
  /** The name of its program, as it said itself. */
  readonly agentHarnessId?: string | undefined;
  /** Where it runs, as it said itself. */
  readonly runningLocation?: string | undefined;
  /** The claims of its human's token that the issuer's `keepClaims` lists, by their names; `undefined`: none was kept. */
  readonly claims?: Readonly<Record<string, string>> | undefined;
  readonly expiresAt?: string | undefined;
  readonly revokedAt?: string | undefined;
  /** When an assertion of it was last accepted, as far as that was reported; `undefined`: it was not. Reports come about once a minute. */
  readonly lastUsedAt?: string | undefined;
  /** Who reported that: `token:<id>` with its name before it, `loopback`, or `database`: a verifier that reads the database itself. */
  readonly lastUsedReportedBy?: string | undefined;
}

/** A task in the registry. */
export interface TaskInfo {
  readonly taskId: string;
  readonly agentRuntimeId: string;
  readonly accountId: string;
  readonly userId: string;
  /** The task's own state, or its agent's where that has ended. */
  readonly state: LifeState;
  /** RFC 3339, as all times here. */
  readonly createdAt: string;
  /** The address that it was registered from; `undefined`: it is not known. */
  readonly address?: string | undefined;
  /** What its client calls the thread, as it said itself; `undefined`: it said nothing. No decision rests on it. */
  readonly threadLabel?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly revokedAt?: string | undefined;
  /** The first use that was reported; `undefined`: none was. */
  readonly firstUsedAt?: string | undefined;
  /** When an assertion of it was last accepted, as far as that was reported; `undefined`: it was not. Later ones come after ten minutes. */
  readonly lastUsedAt?: string | undefined;
  /** Who reported that: `token:<id>` with its name before it, `loopback`, or `database`: a verifier that reads the database itself. */
  readonly lastUsedReportedBy?: string | undefined;
}

/** Options of {@link Registry.issueIdentity}. */
export interface IssueIdentityOptions {
  /** 1 to 256 printable ASCII characters without space, `"`, `,`, `\`. */
  readonly accountId: string;
  /** 1 to 256 printable ASCII characters without space, `"`, `,`, `\`. */
  readonly userId: string;
  /** Whole seconds until the JWT and its agent end. Range 1 to 315,360,000 (ten years); the operator's bound for agents cuts it. */
  readonly ttlSeconds: number;
  /** Default: empty. */
  readonly email?: string | undefined;
  /** Default `unknown`. */
  readonly planType?: string | undefined;
  /** Default: what Codex requires. */
  readonly issuer?: string | undefined;
  /** Default: what Codex requires. */
  readonly audience?: string | undefined;
}

/** An identity JWT that was just made. */
export interface IssuedIdentity {
  /** Secret: it holds the agent's private key. It is given here once, and kept nowhere. Read it by its name, as with an access token. */
  readonly token: string;
  readonly agentRuntimeId: string;
  /** The key that signed it. */
  readonly kid: string;
  /** RFC 3339. The agent ends then, too. */
  readonly expiresAt: string;
}

/** A key in the registry that signs identity JWTs; never its private half. */
export interface SigningKeyInfo {
  readonly kid: string;
  /** `active`: it signs. `retired`: it is in the key set while JWTs that it signed live. `ended`: neither. */
  readonly state: "active" | "retired" | "ended";
  /** RFC 3339, as all times here. */
  readonly createdAt: string;
  readonly retiredAt?: string | undefined;
  /** When the last JWT that it signed ends. */
  readonly lastTokenEndsAt?: string | undefined;
}

/** A user of an account in the registry. */
export interface UserInfo {
  readonly accountId: string;
  readonly userId: string;
  /** The user's own state, or its account's where that was revoked. */
  readonly state: PrincipalState;
  /** RFC 3339, as all times here. When it was first heard of. */
  readonly createdAt: string;
  readonly revokedAt?: string | undefined;
}

/** An account in the registry. */
export interface AccountInfo {
  readonly accountId: string;
  readonly state: PrincipalState;
  /** RFC 3339, as all times here. When it was first heard of. */
  readonly createdAt: string;
  readonly revokedAt?: string | undefined;
}

/** Options of {@link Registry.find}. */
export interface FindOptions {
  /** The most entries of each kind. Range 1 to 100. Default 10. */
  readonly limit?: number | undefined;
  /**
   * `events`: the text is a request id or an address of a log, which its client may have chosen, for instance as the name of a user. Only the audit
   * log is searched for it then. Default `everything`.
   */
  readonly among?: "everything" | "events" | undefined;
}

/** Everything that a text may mean. */
export interface FoundEntries {
  /** Those that the text names, then those of its events, then those with a claim of this value; of each the newest first. */
  readonly agents: readonly AgentInfo[];
  /** Those that the text names, then those of its events, then those with this thread label, in the order of their labels; of each the newest first. */
  readonly tasks: readonly TaskInfo[];
  /** Those whose id it is, then those of this name; of each the newest first. */
  readonly accessTokens: readonly AccessTokenInfo[];
  /** By user id, then account. */
  readonly users: readonly UserInfo[];
  /** By id. */
  readonly accounts: readonly AccountInfo[];
  /** The events of the request, or from the address, that was searched for; newest first. */
  readonly events: readonly AuditEvent[];
  /** Whether there is more of some kind than the limit. */
  readonly more: boolean;
}

/** What a revocation stopped: what lived until then. A repetition stops nothing. */
export interface Stopped {
  readonly agents: number;
  readonly tasks: number;
  readonly tokens: number;
}

/** Something that was revoked, and what that stopped. */
export type Revoked<Info> = Info & { readonly stopped: Stopped };

/** Options of what revokes or restores something. */
export interface ChangeOptions {
  /** Why, for the audit log. 1 to 512 characters. Credentials in it are hidden, and characters that are not shown are escaped. */
  readonly reason?: string | undefined;
}

/** Options of {@link Registry.revokeUser} and {@link Registry.revokeAccount}. */
export interface RevokePrincipalOptions extends ChangeOptions {
  /** Also revoke one that is not known, so that it is barred before it comes. Default false: its id may be misspelt. */
  readonly evenIfUnknown?: boolean | undefined;
}

/**
 * What an operator does to the registry. Every change and its audit event are one transaction; a running authority on the same
 * database sees it at its next request.
 */
export interface Registry {
  /**
   * Makes an access token.
   *
   * @throws {AgentAuthorityError} `invalid_request` when an id, the role, the name, a scope, an account or the lifetime is not allowed
   */
  createAccessToken(options: CreateAccessTokenOptions): Promise<CreatedAccessToken>;
  /** Access tokens, oldest first. */
  listAccessTokens(filter?: AccessTokenFilter): Promise<AccessTokenInfo[]>;
  /**
   * Makes a token with the owner, name, role, scopes and accounts of another, which is still taken during the overlap. Resolves to `undefined`
   * when there is none.
   *
   * @throws {AgentAuthorityError} `invalid_request` when an option is not allowed, or the token has ended
   */
  rotateAccessToken(
    id: string,
    options?: RotateAccessTokenOptions,
  ): Promise<RotatedAccessToken | undefined>;
  /** Ends a token by its id. Repeating it changes nothing. Resolves to `undefined` when there is none. */
  revokeAccessToken(
    id: string,
    options?: ChangeOptions,
  ): Promise<Revoked<AccessTokenInfo> | undefined>;
  /** Agents, oldest first unless `sort` says otherwise. Claims that lapsed unproven are left out. */
  listAgents(filter?: AgentFilter): Promise<AgentInfo[]>;
  /** Resolves to `undefined` when there is none. */
  getAgent(agentRuntimeId: string): Promise<AgentInfo | undefined>;
  /** Ends an agent, and with it all its tasks. Repeating it changes nothing. Resolves to `undefined` when there is none. */
  revokeAgent(
    agentRuntimeId: string,
    options?: ChangeOptions,
  ): Promise<Revoked<AgentInfo> | undefined>;
  /**
   * Takes an agent's own revocation back: its key and those of its tasks that were not revoked themselves work again. No limit is looked at.
   * Repeating it changes nothing. Resolves to `undefined` when there is none.
   */
  restoreAgent(agentRuntimeId: string, options?: ChangeOptions): Promise<AgentInfo | undefined>;
  /** Tasks, oldest first unless `sort` says otherwise. */
  listTasks(filter?: TaskFilter): Promise<TaskInfo[]>;
  /** Resolves to `undefined` when there is none. */
  getTask(taskId: string): Promise<TaskInfo | undefined>;
  /** Ends a task; its agent may get another. Repeating it changes nothing. Resolves to `undefined` when there is none. */
  revokeTask(taskId: string, options?: ChangeOptions): Promise<Revoked<TaskInfo> | undefined>;
  /** Takes a task's own revocation back. No limit is looked at. Repeating it changes nothing. Resolves to `undefined` when there is none. */
  restoreTask(taskId: string, options?: ChangeOptions): Promise<TaskInfo | undefined>;
  /** Users that were heard of, by account and user id. */
  listUsers(filter?: UserFilter): Promise<UserInfo[]>;
  /**
   * Stops a user of an account, and with it all its tokens and agents. Repeating it changes nothing.
   *
   * @throws {AgentAuthorityError} `invalid_request` when an id or the reason is not allowed, or the user has no token and no agent and was
   *   never revoked; the message then has the known names next to it
   */
  revokeUser(
    accountId: string,
    userId: string,
    options?: RevokePrincipalOptions,
  ): Promise<Revoked<UserInfo>>;
  /** Takes a user's own revocation back; what was revoked by itself stays so. Resolves to `undefined` when it was never heard of. */
  restoreUser(
    accountId: string,
    userId: string,
    options?: ChangeOptions,
  ): Promise<UserInfo | undefined>;
  /** Accounts that were heard of, by id. */
  listAccounts(filter?: AccountFilter): Promise<AccountInfo[]>;
  /**
   * Stops an account, and with it all its users. Repeating it changes nothing.
   *
   * @throws {AgentAuthorityError} `invalid_request` as for {@link Registry.revokeUser}
   */
  revokeAccount(accountId: string, options?: RevokePrincipalOptions): Promise<Revoked<AccountInfo>>;
  /** Takes an account's revocation back; what was revoked by itself stays so. Resolves to `undefined` when it was never heard of. */
  restoreAccount(accountId: string, options?: ChangeOptions): Promise<AccountInfo | undefined>;
  /**
   * Makes a fresh agent and the identity JWT that carries its key (generation B).
   *
   * @throws {AgentAuthorityError} `config_invalid` unless generation B is served; `invalid_request` when an option is not allowed;
   *   `forbidden` when the user or account was revoked; `agent_limit` when the user has too many live agents
   * @throws {AgentIdentityError} `invalid_request` if a claim cannot have the value that the options give
   */
  issueIdentity(options: IssueIdentityOptions): Promise<IssuedIdentity>;
  /** The keys that identity JWTs are or were signed with, oldest first. */
  listSigningKeys(): Promise<SigningKeyInfo[]>;
  /** Lets a new key sign identity JWTs; the old one stays in the key set until the last JWT that it signed has ended. */
  rotateSigningKey(): Promise<SigningKeyInfo>;
  /**
   * Finds everything that a text may mean: the id of an agent, task, access token, user or account, the thread label of tasks, or the beginning
   * of one; or a whole request id, address, public key (OpenSSH line), name of an access token or value of a claim that is kept with an agent. A
   * request id and an address also find the agents and tasks that their events name; a
   * former public key finds its agent. Never give it a token or a header.
   *
   * @throws {AgentAuthorityError} `invalid_request` if the text is empty, longer than 512 characters or has control characters, or the limit
   *   is out of range
   */
  find(text: string, options?: FindOptions): Promise<FoundEntries>;
  /** The audit log, oldest first. */
  listAuditEvents(filter?: AuditFilter): Promise<AuditEvent[]>;
}
