import { createHash } from "node:crypto";
import { join } from "node:path";
import type { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { openPrivateDirectory, readPrivateFile, writePrivateFile } from "@countersign/private-file";
import * as v from "valibot";
import type { Human } from "./token-auth.js";

const FILE = "known-humans.json";
// A token is renewed about once an hour: enough for programs of several humans on one home.
const MAX_ENTRIES = 20;

const entrySchema = v.object({
  authority: v.string(),
  token_sha256: v.string(),
  account_id: v.string(),
  user_id: v.string(),
});
const fileSchema = v.object({ version: v.literal(1), humans: v.array(entrySchema) });
type Entry = v.InferOutput<typeof entrySchema>;

/**
 * Finds the human whom a token belongs to: in a file of the home, otherwise by asking the authority.
 *
 * So a program that is started again finds its agent without a request, even if the authority is away or the token has ended. The file has the
 * 20 tokens that were asked about last, each as a digest.
 */
export class KnownHumans {
  readonly #home: string;
  readonly #client: AuthorityClient;
  readonly #closing = new AbortController();

  constructor(home: string, client: AuthorityClient) {
    this.#home = home;
    this.#client = client;
  }

  /**
   * @throws {AuthorityError} `unauthenticated` if the authority does not take the token; otherwise as `AuthorityClient.whoami`
   * @throws {StoreError} `store_denied` if the home is not this user's alone
   */
  async find(token: string): Promise<Human> {
    const { authority } = this.#client;
    const digest = createHash("sha256").update(token).digest("hex");
    const entries = await this.#load();
    const known = entries.find(
      (entry) => entry.authority === authority && entry.token_sha256 === digest,
    );
    if (known !== undefined) return { accountId: known.account_id, userId: known.user_id };
    const human = await this.#client.whoami(token, { signal: this.#closing.signal });
    const { accountId, userId } = human;
    const entry = { authority, token_sha256: digest, account_id: accountId, user_id: userId };
    await this.#save([entry, ...entries].slice(0, MAX_ENTRIES));
    return human;
  }

  /** Ends what is on its way. */
  close(): void {
    this.#closing.abort();
  }

  async #load(): Promise<readonly Entry[]> {
    const directory = await openPrivateDirectory(this.#home, { create: false });
    if (directory === undefined) return [];
    const file = await readPrivateFile(join(directory, FILE));
    if (file === undefined) return [];
    try {
      return v.parse(fileSchema, JSON.parse(file.text)).humans;
    } catch {
      // It saves a request and decides nothing else: what cannot be read is asked for again.
      return [];
    }
  }

  // Without a lock: the file is replaced whole, and an entry that another process overwrote costs one more request.
  async #save(humans: readonly Entry[]): Promise<void> {
    const text = `${JSON.stringify({ version: 1, humans }, null, 2)}\n`;
    try {
      const directory = await openPrivateDirectory(this.#home);
      if (directory !== undefined) await writePrivateFile(join(directory, FILE), text);
    } catch {
      // A home that cannot be written is reported by the registration; one with a registered agent may be read-only.
    }
  }
}
