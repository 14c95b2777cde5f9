// Opens a file store below the home folder and prints how that ended: `open-below-home.ts`.
import { CredentialStoreError, fileStore } from "../../src/index.js";

try {
  console.log(fileStore("~/agent").description);
} catch (error) {
  if (!CredentialStoreError.is(error)) throw error;
  console.log(error.code, error.message);
}
