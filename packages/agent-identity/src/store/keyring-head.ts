/** What the entry of a store's account says: the text itself, or where its parts are. */
export type KeyringHead =
  | { readonly kind: "whole"; readonly text: string }
  | {
      readonly kind: "parts";
      readonly slot: KeyringSlot;
      readonly count: number;
      /** SHA-256 of the joined parts, lower-case hex. */
      readonly sha256: string;
    };

/** The two sets of parts. A write goes to the one that is not in use, so that readers and crashes meet the old text or the new one, whole. */
export type KeyringSlot = "a" | "b";

const WHOLE = "countersign-keyring-1 whole\n";
const PARTS = /^countersign-keyring-1 parts ([ab]) ([1-9]\d{0,2}) ([0-9a-f]{64})\n$/;

/** Reads the entry of a store's account. `undefined`: this program did not write it, or it has a newer form. */
export function parseKeyringHead(text: string): KeyringHead | undefined {
  if (text.startsWith(WHOLE)) return { kind: "whole", text: text.slice(WHOLE.length) };
  const [, slot, count, sha256 = ""] = PARTS.exec(text) ?? [];
  if (slot !== "a" && slot !== "b") return undefined;
  return { kind: "parts", slot, count: Number(count), sha256 };
}

/** Writes the entry of a store's account. */
export function formatKeyringHead(head: KeyringHead): string {
  if (head.kind === "whole") return WHOLE + head.text;
  return `countersign-keyring-1 parts ${head.slot} ${head.count} ${head.sha256}\n`;
}
