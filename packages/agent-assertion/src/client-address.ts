export type { TrustedProxies } from "./server/client-address.js";
export {
  clientAddressOf,
  isTrustedProxy,
  networkOf,
  normaliseAddress,
  parseTrustedProxies,
} from "./server/client-address.js";
