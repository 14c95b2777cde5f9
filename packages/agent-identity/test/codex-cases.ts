/** The cases of docs/codex.md that are this package's, with the titles of the tests, or of the rows of their tables, that show what it does. */
export const CODEX_CASES: Readonly<Record<string, readonly string[]>> = {
  "many callers in one process": [
    "1,000 callers at once in one process, over one manager and over many, register one agent",
  ],
  "many processes on one home": [
    "many processes started together on an empty home register one agent and leave one key",
  ],
  "a process killed while it registers": [
    "a process killed at any step of a registration leaves a store that loads, and the next run has one agent with the key on disk",
    "a process killed between a request and its answer leaves one agent, whether the authority had registered it or not",
  ],
  "a holder of the lock is killed": [
    "that was killed while it registered holds many others up for less than 5 s, and they register one agent",
    "that only sleeps is overtaken after three seconds, finds that out, and touches nothing",
    "is not put aside again by one who comes late: the next holder keeps its lock",
  ],
  "the answer to a registration is lost": [
    "so that a lost answer is made good with the same key, and orphans nothing",
    "a registration whose answer is lost",
  ],
  "the agent's task is refused": [
    "an unknown agent by a new key and agent",
    "once for callers that ask together and for those that come late",
  ],
  "the authority forgot the agent": [
    "an unknown agent by a new key and agent",
    "with the same new key, where the first try was cut off",
  ],
  "the agent expired": ["an expired agent by registering the same key again"],
  "logout while a registration is under way": [
    "at the step %s wins over the registration",
    "%s, a logout stays a logout",
    "%s, a removed file does not come back",
    "%s, an identity that is being forgotten is gone in the end",
  ],
  "switch while a registration is under way": [
    "at the step %s gives the new login's identity, and A -> B -> A registers two agents",
    "%s, a login as somebody else stays that login",
    "leaves the late answer to the login it was for",
  ],
  "a newer token of the same login": [
    "at the step %s changes nothing but the token",
    "a newer token of the same login is tried when the older one was refused",
  ],
  "A → B → A": ["each has its own, and switching back registers nothing"],
  "another account's or user's record in the store": [
    "each has its own, and switching back registers nothing",
    "one of another authority in the same store is not taken",
  ],
  "an answer for another account or user": [
    "an answer for another account or user is refused, and nothing of it is stored",
  ],
  "login after the start": [
    "each login and switch registers once, a logout nothing, and closing ends it",
  ],
  "the file was 0644": [
    "directory and file are this user's alone, tightened at reading and at writing",
    "is 0600 whatever the umask and the file before it were, and leaves nothing beside it",
  ],
  "how the file is written": [
    "a registration takes these steps, and each of them can be watched",
    "no change of several processes at once is lost",
    "a symbolic link in place of the file or of the directory is store_denied",
  ],
  "the file cannot be written": [
    "nothing is registered in an empty home",
    "a pending key is not registered: its agent could not be kept",
    "on a full disk nothing is registered, and what was stored stays as it was",
  ],
  "the file cannot be written, and the agent is registered": [
    "a registered agent is used as ever, without a request",
  ],
  "the file cannot be read": [
    "was cut off",
    "may not be read by its own user",
    "belongs to another user",
  ],
  "one member cannot be read": [
    "an identity that is %s is listed, and kept at every write",
    "a login that cannot be read leaves the identities usable, and is kept at every write",
  ],
  "the stored key is broken": [
    "a registered one whose key is not valid",
    "has a pending key of this login that is not valid",
  ],
  "unknown members": ["members without a change are written back as they were"],
  "a redirect to another origin": ["from %s"],
  "an empty id": ["a registration answer with an empty id"],
  "an id that would reach a path": ["a registration answer with an id that would reach a path"],
  "biscuit 401, 500 or without its header": [
    "a biscuit answered 401",
    "a biscuit answered 500",
    "a biscuit answer without its header",
  ],
  "the biscuit or the registration hangs": [
    "a biscuit request that hangs",
    "a registration request that hangs",
    "when biscuit and registration both hang: one deadline for the two",
  ],
  "another process hangs in its registration": [
    "waiting for another process's registration and registering have one deadline together",
  ],
  "registration 500, 503 or 429": [
    "a registration answered 500",
    "a registration answered 429 with Retry-After",
    "grow, and are random within their bounds: once to twice 250 ms, then 500 ms",
    "and waits as long as Retry-After says, in seconds or until a date",
  ],
  "registration 503 once, then fine": [
    "the caller sees nothing of one temporary failure",
    "a failure in the background fails nothing that comes later",
  ],
  "registration 401 or 403": ["a registration answered 401", "a registration answered 403"],
  "an answer that does not parse": [
    "a registration answer that is no JSON",
    "a registration answer without an id",
  ],
  "an error of 100 kB": ["a registration answered 500 with 100 kB"],
  "nothing listens there": [
    "an authority where no server listens is unreachable, and the error says why",
  ],
  "the caller leaves": [
    "before anything was asked for",
    "while another process registers",
    "while it pauses before the next attempt",
    "at the step %s, and what was registered is kept",
  ],
  "an identity JWT (B) is refused": [
    "of another issuer",
    "for another audience, or for several",
    "that expired, from 60 seconds after its exp on",
    "with a claim that is not what it should be, and names it",
  ],
  "the key set (B)": [
    "gives its agent: one fetch of the key set for each process, and none for a look",
  ],
  "`agent_identity` of another generation in `auth.json`": [
    "another generation's identity leaves the login usable, and is what it was after the registration",
  ],
  "unknown members of `auth.json`, its mode, its link": [
    "every other member as it was written, in its order",
    "0600 at every write and every look, whatever it was",
    "beside the target of a symbolic link, which stays a link",
  ],
  "one place for an identity in `auth.json`": [
    "switching A, B, A registers two agents, not three, while Codex has one place for them",
  ],
  "logout or token refresh by Codex while a registration is under way": [
    "a logout while the agent is registered is not undone",
    "a change is made again on top of what Codex wrote, and given up if Codex never stops writing",
  ],
  "a keyring that is locked, or not there": [
    "a locked one is store_denied with a remedy, and nothing is registered",
    "without a D-Bus session it is store_denied with a remedy, never the kernel's keyring, and nothing is registered",
  ],
  "a key that leaked, or is old": [
    "a rotation gives the same agent a new key, and takes these steps",
    "a rotation for a compromise ends the former key at once",
  ],
  "a process killed while it rotates": [
    "a process killed at any step of a rotation leaves an agent that goes on, and the next rotation ends with the key that was chosen",
    "a process killed between a request and its answer leaves one agent, whether its key was rotated or not",
  ],
  "Codex puts an old key back that was rotated here": [
    "an old key that Codex puts back does not come back",
  ],
  "`auth.json` has another key of the same agent": [
    "a key that may be newer is not overwritten, whatever auth.json says of the keys before it",
  ],
  "round trips": [
    "a cold registration by %s is %i round trips, a stored identity none",
    "a hundred uses of one identity send nothing more",
  ],
};
