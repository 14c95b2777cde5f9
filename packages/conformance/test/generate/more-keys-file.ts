import { KEY_A, KEY_B } from "./vector-keys.js";

const bytes = Buffer.from(KEY_A.blob, "base64");
const line = (blob: Buffer) => `ssh-ed25519 ${blob.toString("base64")}`;

/** The same bytes with one of them changed. */
function changed(at: number): Buffer {
  return Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)));
}

/** Public keys whose line says something else than their bytes do. */
export const moreKeysFile = {
  form: "countersign.keys/1",
  description:
    "Lines whose base64 does not hold an Ed25519 key in its one form, beside lines that do.",
  valid_public: [
    { name: "an empty comment", ssh_public_key: `${KEY_A.line} `, canonical: KEY_A.line },
    {
      name: "a comment with spaces",
      ssh_public_key: `${KEY_B.line} me at home`,
      canonical: KEY_B.line,
    },
  ],
  invalid_public: [
    { name: "another name within the bytes", ssh_public_key: line(changed(14)) },
    { name: "another length of the name", ssh_public_key: line(changed(3)) },
    { name: "another length of the key", ssh_public_key: line(changed(18)) },
    { name: "two spaces before the key", ssh_public_key: KEY_A.line.replace(" ", "  ") },
    { name: "a line break behind the key", ssh_public_key: `${KEY_A.line}\n` },
    { name: "the name in upper case", ssh_public_key: KEY_A.line.replace("ssh", "SSH") },
    { name: "base64 without padding", ssh_public_key: KEY_A.line.replace(/=*$/, "").slice(0, -1) },
  ],
};
