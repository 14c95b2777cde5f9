export type { AddressedRequest, TrustedProxies } from "./server/client-address.js";
export {
  clientAddressOf,
  isTrustedProxy,
  networkOf,
  normaliseAddress,
  parseTrustedProxies,
  sourceOf,
} from "./server/client-address.js";
