import assert from "node:assert/strict";
import { join } from "node:path";
import { useIdentityJwt } from "./identity-jwt.js";
import { openKeyringIdentities } from "./keyring.js";
import { logIn } from "./log-in.js";
import { auth } from "./open-thread.mjs";

const { AUTHORITY, ACCESS_TOKEN, IDENTITY_JWT, HOME } = process.env;

const first = await logIn(AUTHORITY, join(HOME, "agent"), ACCESS_TOKEN);
assert.match(first, /^agent_\S+ with ssh-ed25519 /);
assert.equal(await logIn(AUTHORITY, join(HOME, "agent"), ACCESS_TOKEN), first);

const ofToken = useIdentityJwt(AUTHORITY, async () => IDENTITY_JWT);
assert.equal((await ofToken.ensure()).userId, "user-2");
await ofToken.close();

// Nothing opens the keyring before it is used, and not every machine has one.
await openKeyringIdentities(AUTHORITY, auth, join(HOME, "keyring")).close();

// Tests, which Node's runner counts.
await import("./own-store.js");
