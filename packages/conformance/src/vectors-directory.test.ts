import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { VECTORS_DIRECTORY } from "./vectors-directory.js";

// Vectors are what others check themselves against: they never change without being noticed.
test("the vectors are those that were made, to the byte", async () => {
  const hashes: Record<string, string> = {};
  const names = (await readdir(VECTORS_DIRECTORY)).filter((name) => name.endsWith(".json"));
  for (const file of names.sort()) {
    const bytes = await readFile(new URL(file, VECTORS_DIRECTORY));
    hashes[file] = createHash("sha256").update(bytes).digest("hex");
  }
  expect(hashes).toEqual({
    "agent-registration.json": "e5ac9c9074a29cbb807c18b9d495f9051bacc389802e966f88fe56d6dcd007d1",
    "answers.json": "af77cb3134c88edb5a6879ba4b294b9da1fda35bffa3144fab8b51c8cda6ec34",
    "assertions.json": "26e8f3e48037b7e7e359aad695c6a8198aa1ff8f8e1c4cbe2c1f6d1a3f270dda",
    "caller-token.json": "729ca5d4145cdbcf52c066305b02d71f407c1624ee2ffd7894dcedadd6c66c33",
    "codex-0.122.json": "80b6f7936917fb12cfc3f5537941dd7bd044dc6bfa4e0af48a08e3652d09520a",
    "derivations.json": "57d9d30af8318d5cc904588e11357c8105dadc112fc5ab75a2ad6be6df651d0c",
    "directory.json": "52120dd3ca1871ab4229ec5d156406452bb1cbee97355e33efd708153706ddca",
    "identity-jwt.json": "615b6539108aee312254ef8950c07b0ebdc9a37a2266e4a3df758e7832b03c98",
    "key-rotation.json": "d7ecd271036b5e3f092d266a3fc2a829f955014fa93cea02e6cab985fe38d5e8",
    "keys.json": "c7ca6b507751fe73e0e4f120aabaff2f6b23cf4a0b410e635ec684fe20f7e741",
    "more-agent-registration.json":
      "efd0c36fdce9069cc5bee9dbed9d7816e845712e77039f424495b5119fcccc63",
    "more-assertions.json": "014b3e124fab5c79bfbd98e0359037e47e88ede451370b8e5ff15620c444606f",
    "more-keys.json": "5e8869916e7e7a949d413c3ef64ff44cc803baea216333c0156273d3926469c1",
    "more-task-registration.json":
      "1b476598836e74ce37ab7deeaaf8b6694d24c572506c3ae88a197f18a144f5b6",
    "own-end.json": "a972109a5ebd24d1134c9d35ae12d522ceb6fa9ac57540bc427bd2be0e69f205",
    "plain-task-registration.json":
      "715c711b9cf90700821da19036046ca51f198fac110e52c3830d899d47375daa",
    "refusals.json": "0c96e253805db088ead706b06599c3232ad3a54ff23ab03981aa8a60d86b3589",
    "registration-proof.json": "8dd6ef3833d1d5d9e154ff9dee9d128e0b96366fe8eb30c25963418b9ba3a9cf",
    "registration-requests.json":
      "0ad45e2f5e9c38cd89417c4b2bb362139b660800e9688fdb429573cf034b5ea1",
    "requests.json": "46b03a4bef8996ee1ea51a8b4f832c6d53413f637f4dbe6da6d0246c255567d5",
    "task-registration.json": "63099b141bf71f56a2e4bfa0c57327f981360948c442eb1cf1d55183fab3f02e",
  });
});
