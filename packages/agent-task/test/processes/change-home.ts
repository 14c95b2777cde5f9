// Changes a home once: `change-home.ts HOME login|logout|forget|edit AUTHORITY TOKEN`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileStore, removeLogin, saveLogin } from "@countersign/agent-identity";

const [home = "", change = "", authority = "", accessToken = ""] = process.argv.slice(2);
const store = fileStore(home);
const changes: Record<string, () => unknown> = {
  login: () =>
    saveLogin(store, {
      authority,
      account_id: "acct-2",
      user_id: "user-1",
      kind: "human",
      proof: "bearer",
      access_token: accessToken,
      logged_in_at: "2026-03-23T12:00:00Z",
    }),
  logout: () => removeLogin(store),
  forget: () => store.update((current) => ({ ...current, identities: [] })),
  // In place and without a lock, as an editor does.
  edit() {
    const file = `${home}/credentials.json`;
    const text = readFileSync(file, "utf8")
      .replace('"account_id": "acct-1"', '"account_id": "acct-2"')
      .replace(/"access_token": "[^"]*"/, `"access_token": "${accessToken}"`);
    writeFileSync(file, text);
  },
};
await changes[change]?.();
