// Opens a file store below the home folder and prints how that ended: `open-below-home.ts`.
import { StoreError } from "@countersign/agent-key";
import { fileStore } from "../../src/index.js";

try {
  console.log(fileStore("~/agent").description);
} catch (error) {
  if (!StoreError.is(error)) throw error;
  console.log(error.code, error.message);
}
