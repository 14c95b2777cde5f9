import { createConnection } from "node:net";
import { connectAgent } from "@countersign/agent";
import { AgentPublicKey, type AgentSigner } from "@countersign/agent-key";

const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
// A type, then a field with the fields "ssh-ed25519" and 64 bytes.
const RESPONSE_BYTES = 1 + 4 + (4 + 11) + (4 + 64);

/** A key that an ssh-agent holds, by its public line as `ssh-add -L` prints it. */
export function sshAgentSigner(socket: string, line: string): AgentSigner {
  const publicKey = AgentPublicKey.parse(line);
  const name = Buffer.from(publicKey.line.split(" ")[1] ?? "", "base64");
  return {
    publicKey,
    async sign(message, { signal } = {}) {
      const request = [Buffer.of(SIGN_REQUEST), field(name), field(message), Buffer.alloc(4)];
      const answer = await ask(socket, Buffer.concat(request), signal);
      if (answer[0] === SIGN_RESPONSE && answer.length === RESPONSE_BYTES) {
        return answer.subarray(-64);
      }
      throw new Error("the ssh-agent does not sign with this key: see ssh-add -L");
    },
  };
}

// One message of the agent's protocol is a field: four bytes of length, and what they count.
async function ask(path: string, request: Uint8Array, signal?: AbortSignal): Promise<Buffer> {
  const connection = createConnection({ path, ...(signal && { signal }) });
  connection.write(field(request));
  let received = Buffer.alloc(0);
  for await (const chunk of connection) {
    received = Buffer.concat([received, chunk]);
    if (received.length < 4) continue;
    const end = 4 + received.readUInt32BE(0);
    if (received.length >= end) return received.subarray(4, end);
  }
  throw new Error("the ssh-agent ended the connection");
}

function field(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export async function callWithSshAgent(
  settings: { authority: string; accessToken: string; home: string },
  api: string,
  signer: AgentSigner,
): Promise<string> {
  const agent = connectAgent({ ...settings, origins: [api], signers: [signer] });
  const thread = agent.thread("thread-1");
  try {
    return await thread.run(async () => (await thread.fetch(api)).text());
  } finally {
    await agent.close();
  }
}
