/** The cases of docs/codex.md that are this package's, with the tests that show what it does. A test is named `group > title`. */
export const CODEX_CASES: Readonly<Record<string, readonly string[]>> = {
  "the biscuit is refused (401)": [
    "a biscuit that is not had > for the task: 401",
    "a refusal of the human > is handed up with the remedy",
  ],
  "the human has logged in again before that": [
    "a login again with a new token > while request 3 is on its way: goes on with the same agent, although the old token is refused",
  ],
  "the biscuit fails (500)": ["a biscuit that is not had > for the agent: 500"],
  "the biscuit's header is missing or no text": [
    "a biscuit that is not had > for the task: no biscuit in the header (1)",
  ],
  "the biscuit hangs": [
    "a turn whose authority hangs > at biscuit ends after 30 s in all, and the next one succeeds",
  ],
  "the agent's registration fails (500, 429)": [
    "an agent registration that fails softly > biscuit: 500",
    "an agent registration that fails softly > bearer: 429 with Retry-After beyond the deadline",
  ],
  "it fails once (503), then works": [
    "an authority that fails once > at register_agent is not noticed: one agent, one task, and no trace of a prewarm",
    "a prewarm that failed for whatever reason > leaves no trace on the turn that registers after it",
  ],
  "its answer does not parse": [
    "an agent registration that fails softly > bearer: an answer that is not valid (1)",
  ],
  "its id is empty": [
    "an agent registration that fails softly > bearer: an agent id that is not valid (1)",
  ],
  "its id is `../../evil`": [
    "an agent registration that fails softly > bearer: an agent id that is not valid (3)",
    "an id of the authority > is percent-encoded where it stands in a URL",
  ],
  "an error has a body of 100 kB": [
    "an agent registration that fails softly > bearer: 500 with a body of 100 kB",
    "a registration that fails > never shows a secret or a raw control character",
  ],
  "the agent's registration hangs": [
    "a turn whose authority hangs > at register_agent ends after 30 s in all, and the next one succeeds",
  ],
  "the task is refused (401, 404)": [
    "a task registration that fails softly > bearer: 401",
    "a task registration that fails softly > bearer: 404",
    "unknown_agent from the authority > registers one new agent for the same human, then the task once",
  ],
  "the authority goes on saying so": [
    "unknown_agent from the authority > stops after one new agent, also in the turns that follow",
  ],
  "the agent was revoked": [
    "agent_revoked from the authority > is final, replaces nothing and says who must act",
  ],
  "the task's registration fails (500, 429)": [
    "a task registration that fails softly > biscuit: 500",
    "a task registration that fails softly > bearer: 429",
    "a registration that fails > is tried three times when it passes, under one key, so that a lost answer costs no task",
  ],
  "it is forbidden (403)": [
    "a task registration that fails softly > bearer: 403",
    "a task registration that fails softly > bearer: 403 with Retry-After",
  ],
  "it hangs": [
    "a turn whose authority hangs > at register_task ends after 30 s in all, and the next one succeeds",
    "a step that hangs > biscuit: register_task is a timeout of one thread, and another thread gets its task at the same time",
  ],
  "a turn comes after a prewarm that hangs": [
    "a turn whose authority hangs > after a prewarm that hung waits no longer than its own 30 s",
  ],
  "the task id cannot be decrypted, or is no base64": [
    "a task registration that fails softly > bearer: an encrypted task id that does not open (5)",
    "a task registration that fails softly > bearer: an encrypted task id that does not open (3)",
  ],
  "the answer is `{}`": [
    "a task registration that fails softly > bearer: an answer that is not valid (3)",
  ],
  "the answer has `task_id` or `encryptedTaskId`": [
    "what a task registration carries > is read in every form of answer",
  ],
  "the task id is empty, or has a colon or newline": [
    "a task registration that fails softly > bearer: a task id that is not valid (1)",
    "a task registration that fails softly > bearer: a task id that is not valid (4)",
  ],
  "nothing listens there": [
    "a cold thread whose authority starts again > gets its task in the same turn: the authority does not listen for a while",
    "a cold thread whose authority starts again > fails at its deadline if it never comes back, with unreachable",
    "a registration that fails > is unreachable, and retryable, if the authority does not listen",
  ],
  "the home cannot be written": [
    "a home that cannot be written > is store_denied with a remedy, and registers nothing, run after run",
    "a home that cannot be written > of threads registers no task, also where only locks show that it is read-only",
  ],
  "a redirect to another origin": [
    "a redirect of the authority > at register_agent is never followed: the other origin receives nothing",
  ],
  "a request is refused (401) for its task": [
    "a refused request > gets one new task for task_revoked, and no second one",
    "a refused request > is recovered again after 10 minutes, and has a budget for each origin and thread",
  ],
  "the authority forgot the task": [
    "a refused request > gets one new task for unknown_task, and no second one",
  ],
  "the first turn fails, then the thread is resumed": [
    "a registration that fails > fails this thread's turn alone, retryable, and the next turn tries again",
  ],
  "many threads or processes at once": [
    "many at once > 1,000 calls over 50 threads register one agent and one task for each thread",
    "many processes started together on an empty home > register one agent and one task for each thread, and a resumed thread sends nothing",
  ],
  "killed in the middle": [
    "a process killed while it registers a task > leaves stores that load, and the next one has the same task, after kills at every step",
  ],
  "logout or switch while a registration is in flight": [
    "a logout > while request 4 is on its way: leaves nothing to use, and a late answer brings nothing back",
    "a switch of accounts > while request 2 is on its way: the turn is done as who is at work then",
  ],
  "A → B → A": [
    "a switch of accounts > gives the thread a task of the other agent, and registers nothing when it is switched back",
    "a switch of accounts > after, and back: registers two agents at most, one task each",
  ],
  "a thread file": [
    "threads, names and the run > are stored under their hash, readable for the owner alone",
  ],
  "a stored member that cannot be read": [
    "a stored thread that cannot be read > fails this thread's turn with a remedy, and registers nothing",
    "without a login > rejects: a request is never sent without a credential",
  ],
  "a fork": ["round trips > gives a fork a task of its own, and never copies one"],
  "calls that belong to no thread": [
    "calls without a thread > share the one task of the run, however many handles and calls at once",
  ],
  "an identity without a human": [
    "an agent that came with its key > has its tasks without any human token, in one request each",
  ],
  "a question about the state": [
    "peek > never touches the network, and returns the task that is there",
  ],
  "the authority is not there for a while": [
    "the fallback to the human's token > happens for temporary failures, to the declared origins alone, and an event reports it",
    "the fallback event > comes once for each thread, however many turns go on as the human",
  ],
  "a long wait": [
    "progress > is told after 1 s and then each 5 s, with the time that has gone by, between registering and registered",
  ],
  "after a failure": [
    "a process that failed to register > leaves no timer and no socket behind, and ends by itself with nothing closed",
  ],
};
