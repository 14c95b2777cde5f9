export type { CredentialStoreContractOptions } from "./store-contract/credential-store-contract.js";
export { credentialStoreContract } from "./store-contract/credential-store-contract.js";
