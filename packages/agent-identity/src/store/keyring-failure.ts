import { StoreError } from "@countersign/agent-key";
import { describeServerText } from "@countersign/agent-key/redaction";

/** Makes the error for something that a keyring refused. Errors of a store pass as they are. */
export function toKeyringError(description: string, cause: unknown): unknown {
  if (StoreError.is(cause) || !(cause instanceof Error)) return cause;
  return new StoreError(
    "store_denied",
    `${description} cannot be used: ${describeServerText(cause.message)}`,
    { cause, hint: remedy(cause.message) },
  );
}

/** Makes the error for a keyring that takes a secret and gives back none, or another. */
export function doesNotKeep(description: string): StoreError {
  return new StoreError(
    "store_denied",
    `${description} cannot be used: it does not give back what was put into it`,
    { hint: "repair the system's keyring, or choose the file store" },
  );
}

function remedy(reason: string): string {
  if (/dismissed|locked|denied/i.test(reason)) {
    return "unlock the keyring (log in to the desktop session) and try again, or choose the file store";
  }
  // What a Secret Service without any keyring says to a write.
  if (/no result found/i.test(reason)) {
    return "create a default keyring in the system's keyring manager, or choose the file store";
  }
  if (/d-?bus|secret ?service/i.test(reason)) {
    return "start a Secret Service (gnome-keyring, KWallet, KeePassXC) in this D-Bus session, or choose the file store";
  }
  return "repair the system's keyring, or choose the file store";
}
