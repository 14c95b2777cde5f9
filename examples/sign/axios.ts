import { assertionAdapter } from "@countersign/agent-assertion/axios";
import type { CredentialSource } from "@countersign/agent-key";
import axios, { type AxiosInstance } from "axios";

export function createAxios(thread: CredentialSource, origin: string): AxiosInstance {
  return axios.create({ adapter: assertionAdapter(axios, thread, { origins: [origin] }) });
}
