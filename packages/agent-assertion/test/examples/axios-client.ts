import type { CredentialSource } from "@countersign/agent-key";
import axios, { type AxiosInstance } from "axios";
import { assertionAdapter } from "../../src/axios.js";

export function createAxios(thread: CredentialSource, origin: string): AxiosInstance {
  return axios.create({ adapter: assertionAdapter(axios, thread, { origins: [origin] }) });
}
