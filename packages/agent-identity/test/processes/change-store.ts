// Changes a home at each word on its input: `change-store.ts HOME`.
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileStore, removeLogin, saveLogin } from "../../src/index.js";

const [home = ""] = process.argv.slice(2);
const file = `${home}/credentials.json`;
const store = fileStore(home);
const login = {
  authority: "https://authority.example",
  account_id: "acct-1",
  user_id: "user-1",
  kind: "human",
  proof: "bearer",
  access_token: "token-2",
  logged_in_at: "2026-03-23T12:00:00Z",
} as const;

const changes: Record<string, () => unknown> = {
  login: () => saveLogin(store, login),
  logout: () => removeLogin(store),
  rotate: () =>
    store.update((current) => ({
      ...current,
      identities: current.identities.map((entry) => ({ ...entry, private_key: "other" })),
    })),
  forget: () => store.update((current) => ({ ...current, identities: [] })),
  // As an editor does that keeps the times of a file.
  edit() {
    const { atime, mtime } = statSync(file);
    writeFileSync(file, readFileSync(file, "utf8").replace("token-1", "token-3"));
    utimesSync(file, atime, mtime);
  },
};

process.stdout.write("ready\n");
for await (const name of createInterface({ input: process.stdin })) {
  await changes[name]?.();
  process.stdout.write(`done ${name}\n`);
}
