import { AgentKey, AgentPublicKey } from "@countersign/agent-key";
import type { KeysFile } from "../schema/keys-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";
import { expectedKeyMembers, keyMembers } from "./key-members.js";

/** The checks of a file of form `countersign.keys/1`. */
export function checkKeys(file: KeysFile): readonly VectorCheck[] {
  return [
    ...file.valid.map((vector, index) => ({
      name: nameOf("valid", index, vector),
      expected: outcome(
        expectedKeyMembers({
          sshPublicKey: vector.ssh_public_key,
          x25519PublicKeyHex: vector.x25519_public_key_hex,
          x25519PrivateKeyHex: vector.x25519_private_key_hex,
        }),
      ),
      run: () => outcome(keyMembers(AgentKey.importPkcs8(vector.private_key_pkcs8_base64))),
    })),
    ...file.valid_public.map((vector, index) => ({
      name: nameOf("valid_public", index, vector, vector.ssh_public_key),
      expected: outcome({ canonical: vector.canonical }),
      run: () => outcome({ canonical: AgentPublicKey.parse(vector.ssh_public_key).line }),
    })),
    ...file.invalid.map((vector, index) => ({
      name: nameOf("invalid", index, vector),
      expected: "invalid_key",
      run: () => outcome(keyMembers(AgentKey.importPkcs8(vector.private_key_pkcs8_base64))),
    })),
    ...file.invalid_public.map((vector, index) => ({
      name: nameOf("invalid_public", index, vector, vector.ssh_public_key),
      expected: "invalid_key",
      run: () => outcome({ canonical: AgentPublicKey.parse(vector.ssh_public_key).line }),
    })),
  ];
}
