// Loaded when an identity JWT is verified: most logins are a human's. It imports nothing of ours, so that a bundler can split it off.
export { createLocalJWKSet } from "jose/jwks/local";
export { jwtVerify } from "jose/jwt/verify";
