import { createHash, randomBytes } from "node:crypto";
import { StoreError } from "@countersign/agent-key";
import type { OpenKeyringEntry } from "./keyring-entry.js";
import { doesNotKeep, toKeyringError } from "./keyring-failure.js";
import {
  formatKeyringHead,
  type KeyringHead,
  type KeyringSlot,
  parseKeyringHead,
} from "./keyring-head.js";

const MAX_PARTS = 999;
// Each failure means that a writer finished in the meantime.
const MAX_READS = 5;

/** Where a {@link KeyringText} is kept. */
export interface KeyringTextOptions {
  readonly openEntry: OpenKeyringEntry;
  readonly service: string;
  readonly account: string;
  readonly maxEntryBytes: number;
  /** Names the store in errors. */
  readonly description: string;
}

/** A text in a keyring, in several entries where it is longer than one may be. Writers must be kept apart by a lock; readers need none. */
export class KeyringText {
  readonly #options: KeyringTextOptions;

  constructor(options: KeyringTextOptions) {
    this.#options = options;
  }

  /**
   * Proves that the keyring gives back what was put into it.
   *
   * @throws {StoreError} `store_denied`
   */
  async probe(): Promise<void> {
    const { account } = this.#options;
    // Of its own, so that processes do not meet each other's.
    const name = `${account} probe ${randomBytes(8).toString("hex")}`;
    const value = randomBytes(16).toString("hex");
    try {
      await this.#set(name, value);
      if ((await this.#get(name)) !== value) throw doesNotKeep(this.#options.description);
    } finally {
      // A failure is thrown already, and a probe that was never written leaves nothing to remove.
      await this.#delete(name).catch(() => undefined);
    }
  }

  /**
   * Reads the text.
   *
   * @returns `undefined`: there is none. `generation` names this content: another write gives another one
   * @throws {StoreError} `store_corrupt`, `store_denied`
   */
  async load(): Promise<{ readonly text: string; readonly generation: string } | undefined> {
    for (let attempt = 0; attempt < MAX_READS; attempt += 1) {
      const generation = await this.#get(this.#options.account);
      if (generation === undefined) return undefined;
      const head = parseKeyringHead(generation);
      const text = head?.kind === "parts" ? await this.#join(head) : head?.text;
      if (text !== undefined) return { text, generation };
      if (head === undefined) break;
    }
    throw new StoreError(
      "store_corrupt",
      `${this.#options.description} holds something else than a store, or only a part of one`,
      {
        hint: "restore the keyring from a backup; or leave it as it is, and log in with another home",
      },
    );
  }

  /**
   * Replaces the text and reads it back.
   *
   * @param generation - what was read before; when there is something else by now, nothing is changed
   * @param beforeReplace - called just before; when it rejects, nothing is changed
   * @returns whether it was written
   * @throws {StoreError} `store_denied`
   */
  async save(
    text: string,
    generation: string | undefined,
    beforeReplace: () => Promise<void>,
  ): Promise<boolean> {
    const { account, maxEntryBytes } = this.#options;
    const before = generation === undefined ? undefined : parseKeyringHead(generation);
    const used = before?.kind === "parts" ? before.slot : undefined;
    const whole = formatKeyringHead({ kind: "whole", text });
    const isWhole = Buffer.byteLength(whole) <= maxEntryBytes;
    const slot = used === "a" ? "b" : "a";
    const head = isWhole ? whole : formatKeyringHead(await this.#setParts(text, slot));
    await beforeReplace();
    if ((await this.#get(account)) !== generation) return false;
    await this.#set(account, head);
    if ((await this.load())?.text !== text) throw doesNotKeep(this.#options.description);
    await this.#deleteParts(slot, partCount(head));
    await this.#deleteParts(slot === "a" ? "b" : "a", 0);
    return true;
  }

  async #setParts(text: string, slot: KeyringSlot): Promise<KeyringHead> {
    const { maxEntryBytes, description } = this.#options;
    const bytes = Buffer.from(text, "utf8");
    const count = Math.ceil(bytes.length / maxEntryBytes);
    if (count > MAX_PARTS) {
      throw new StoreError("store_denied", `${description} is too small for this`, {
        hint: "forget identities whose agents are revoked, or choose the file store",
      });
    }
    for (let part = 0; part < count; part += 1) {
      const start = part * maxEntryBytes;
      await this.#set(this.#nameOf(slot, part), bytes.subarray(start, start + maxEntryBytes));
    }
    return { kind: "parts", slot, count, sha256: sha256(bytes) };
  }

  async #join(head: Extract<KeyringHead, { kind: "parts" }>): Promise<string | undefined> {
    const parts: Uint8Array[] = [];
    for (let part = 0; part < head.count; part += 1) {
      const bytes = await this.#getBytes(this.#nameOf(head.slot, part));
      if (bytes === undefined) return undefined;
      parts.push(bytes);
    }
    const bytes = Buffer.concat(parts);
    return sha256(bytes) === head.sha256 ? bytes.toString("utf8") : undefined;
  }

  /** Removes the parts of a set from one on: the last first, so that an interruption leaves none behind a gap. */
  async #deleteParts(slot: KeyringSlot, from: number): Promise<void> {
    let end = from;
    while ((await this.#getBytes(this.#nameOf(slot, end))) !== undefined) end += 1;
    for (let part = end - 1; part >= from; part -= 1) await this.#delete(this.#nameOf(slot, part));
  }

  #nameOf(slot: KeyringSlot, part: number): string {
    return `${this.#options.account} ${slot}${part}`;
  }

  async #get(name: string): Promise<string | undefined> {
    const bytes = await this.#getBytes(name);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
  }

  async #getBytes(name: string): Promise<Uint8Array | undefined> {
    const secret = await this.#use(name, (entry) => entry.getSecret());
    return secret === null || secret === undefined ? undefined : Uint8Array.from(secret);
  }

  async #set(name: string, secret: string | Uint8Array): Promise<void> {
    const bytes = typeof secret === "string" ? Buffer.from(secret, "utf8") : secret;
    await this.#use(name, (entry) => entry.setSecret(bytes));
  }

  async #delete(name: string): Promise<void> {
    await this.#use(name, (entry) => entry.deleteCredential());
  }

  async #use<T>(
    name: string,
    run: (entry: ReturnType<OpenKeyringEntry>) => Promise<T>,
  ): Promise<T> {
    const { openEntry, service, description } = this.#options;
    try {
      // A new one each time, so that nothing is read from what an entry may remember.
      return await run(openEntry(service, name));
    } catch (error) {
      throw toKeyringError(description, error);
    }
  }
}

function partCount(head: string): number {
  const parsed = parseKeyringHead(head);
  return parsed?.kind === "parts" ? parsed.count : 0;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
