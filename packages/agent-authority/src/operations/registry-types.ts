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

/** An access token in the registry; never the token itself. */
export interface AccessTokenInfo {
  readonly id: string;
  readonly role: TokenRole;
  readonly accountId: string;
  readonly userId: string;
  readonly state: LifeState;
  /** RFC 3339, as all times here. */
  readonly createdAt: string;
  readonly expiresAt: string;
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
  /** RFC 3339, as all times here. */
  readonly createdAt: string;
  readonly expiresAt?: string | undefined;
  readonly revokedAt?: string | undefined;
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
  readonly expiresAt?: string | undefined;
  readonly revokedAt?: string | undefined;
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

/**
 * What an operator does to the registry. Every change and its audit event are one transaction; a running authority on the same
 * database sees it at its next request.
 */
export interface Registry {
  /**
   * Makes an access token.
   *
   * @throws {AgentAuthorityError} `invalid_request` when an id, the role or the lifetime is not allowed
   */
  createAccessToken(options: CreateAccessTokenOptions): Promise<CreatedAccessToken>;
  /** Access tokens, oldest first. */
  listAccessTokens(filter?: AccessTokenFilter): Promise<AccessTokenInfo[]>;
  /** Ends a token by its id. Repeating it changes nothing. Resolves to `undefined` when there is none. */
  revokeAccessToken(id: string): Promise<AccessTokenInfo | undefined>;
  /** Agents, oldest first. Claims that lapsed unproven are left out. */
  listAgents(filter?: AgentFilter): Promise<AgentInfo[]>;
  /** Resolves to `undefined` when there is none. */
  getAgent(agentRuntimeId: string): Promise<AgentInfo | undefined>;
  /** Ends an agent, and with it all its tasks. Repeating it changes nothing. Resolves to `undefined` when there is none. */
  revokeAgent(agentRuntimeId: string): Promise<AgentInfo | undefined>;
  /**
   * Takes an agent's own revocation back: its key and those of its tasks that were not revoked themselves work again. No limit is looked at.
   * Repeating it changes nothing. Resolves to `undefined` when there is none.
   */
  restoreAgent(agentRuntimeId: string): Promise<AgentInfo | undefined>;
  /** Tasks, oldest first. */
  listTasks(filter?: TaskFilter): Promise<TaskInfo[]>;
  /** Resolves to `undefined` when there is none. */
  getTask(taskId: string): Promise<TaskInfo | undefined>;
  /** Ends a task; its agent may get another. Repeating it changes nothing. Resolves to `undefined` when there is none. */
  revokeTask(taskId: string): Promise<TaskInfo | undefined>;
  /** Takes a task's own revocation back. No limit is looked at. Repeating it changes nothing. Resolves to `undefined` when there is none. */
  restoreTask(taskId: string): Promise<TaskInfo | undefined>;
  /** Users that were heard of, by account and user id. */
  listUsers(filter?: UserFilter): Promise<UserInfo[]>;
  /**
   * Stops a user of an account, and with it all its tokens and agents; also one that was never heard of. Repeating it changes nothing.
   *
   * @throws {AgentAuthorityError} `invalid_request` when an id is not allowed
   */
  revokeUser(accountId: string, userId: string): Promise<UserInfo>;
  /** Takes a user's own revocation back; what was revoked by itself stays so. Resolves to `undefined` when it was never heard of. */
  restoreUser(accountId: string, userId: string): Promise<UserInfo | undefined>;
  /** Accounts that were heard of, by id. */
  listAccounts(filter?: AccountFilter): Promise<AccountInfo[]>;
  /**
   * Stops an account, and with it all its users; also one that was never heard of. Repeating it changes nothing.
   *
   * @throws {AgentAuthorityError} `invalid_request` when the id is not allowed
   */
  revokeAccount(accountId: string): Promise<AccountInfo>;
  /** Takes an account's revocation back; what was revoked by itself stays so. Resolves to `undefined` when it was never heard of. */
  restoreAccount(accountId: string): Promise<AccountInfo | undefined>;
  /**
   * Makes a fresh agent and the identity JWT that carries its key (generation B).
   *
   * @throws {AgentAuthorityError} `config_invalid` unless generation B is served; `invalid_request` when an option is not allowed;
   *   `forbidden` when the user or account was revoked, or has too many live agents
   * @throws {AgentIdentityError} `invalid_request` if a claim cannot have the value that the options give
   */
  issueIdentity(options: IssueIdentityOptions): Promise<IssuedIdentity>;
  /** The keys that identity JWTs are or were signed with, oldest first. */
  listSigningKeys(): Promise<SigningKeyInfo[]>;
  /** Lets a new key sign identity JWTs; the old one stays in the key set until the last JWT that it signed has ended. */
  rotateSigningKey(): Promise<SigningKeyInfo>;
  /** The audit log, oldest first. */
  listAuditEvents(filter?: AuditFilter): Promise<AuditEvent[]>;
}
