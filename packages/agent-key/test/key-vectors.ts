// Values of the protocol's key vectors, made with OpenSSL and libsodium; published as vectors/keys.json of @countersign/conformance.
// This package reaches for nothing outside itself, so its tests hold a copy.

/** Private keys, and what each must give. */
export const VALID_KEYS = [
  {
    name: "key a, PKCS#8 v1",
    private_key_pkcs8_base64: "MC4CAQAwBQYDK2VwBCIEIKwAuZFIGKSSmpZRNL411yJCBYQ58jatdlVncsTBLD+P",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKoJuFSbrMMZ/qy/fDSj2JAghAcZJrH4dm5dJhAM9i5F",
    x25519_public_key_hex: "b6826ef7ed80b067d08748cbc9d7591b8f0155ebae9eb3ca11db6e76b0f12a1a",
    x25519_private_key_hex: "90e60ddd43fb39aa7e89749e7f8061250a7e41473e0805097df193418cf7d769",
  },
  {
    name: "key a, PKCS#8 v2 with its public key",
    private_key_pkcs8_base64:
      "MFECAQEwBQYDK2VwBCIEIKwAuZFIGKSSmpZRNL411yJCBYQ58jatdlVncsTBLD+PgSEAqgm4VJuswxn+rL98NKPYkCCEBxkmsfh2bl0mEAz2LkU=",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKoJuFSbrMMZ/qy/fDSj2JAghAcZJrH4dm5dJhAM9i5F",
    x25519_public_key_hex: "b6826ef7ed80b067d08748cbc9d7591b8f0155ebae9eb3ca11db6e76b0f12a1a",
    x25519_private_key_hex: "90e60ddd43fb39aa7e89749e7f8061250a7e41473e0805097df193418cf7d769",
  },
  {
    name: "key b, PKCS#8 v1",
    private_key_pkcs8_base64: "MC4CAQAwBQYDK2VwBCIEIGLVuJ8MLFKcDPS36pRN8C30xA3boHfh9UYdaznhxZw+",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJapesUvP+RfrxQdJh69Z+uihleiR1TR8QnYlQdcN5aT",
    x25519_public_key_hex: "112a07f71f6b5fd8e0adb0017e88fe9c9f5f22b6fc2114d8d88ad3ea1387dc47",
    x25519_private_key_hex: "18afa541849a25441d298ee7a786924364784530b6d8a7df4a1875a97593d744",
  },
  {
    name: "key b, PKCS#8 v2 with its public key",
    private_key_pkcs8_base64:
      "MFECAQEwBQYDK2VwBCIEIGLVuJ8MLFKcDPS36pRN8C30xA3boHfh9UYdaznhxZw+gSEAlql6xS8/5F+vFB0mHr1n66KGV6JHVNHxCdiVB1w3lpM=",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJapesUvP+RfrxQdJh69Z+uihleiR1TR8QnYlQdcN5aT",
    x25519_public_key_hex: "112a07f71f6b5fd8e0adb0017e88fe9c9f5f22b6fc2114d8d88ad3ea1387dc47",
    x25519_private_key_hex: "18afa541849a25441d298ee7a786924364784530b6d8a7df4a1875a97593d744",
  },
  {
    name: "key c, PKCS#8 v1",
    private_key_pkcs8_base64: "MC4CAQAwBQYDK2VwBCIEIFw9ZZu3iCyRPTfXyoMctDCK4EMqfEpTPI3MvQEFh+Ze",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILQH7PrFQ8uEulJXUApcK1QJ6h9PgobgENxfmaXMG6vr",
    x25519_public_key_hex: "60e391cde5717fe023a47fc34919595628fc4cd56818921a68d9997781fac95e",
    x25519_private_key_hex: "d07d91b3525dbbef8d57dd0609fce7c62fe1864b8658621d3ec6b0da220c387b",
  },
  {
    name: "key c, PKCS#8 v2 with its public key",
    private_key_pkcs8_base64:
      "MFECAQEwBQYDK2VwBCIEIFw9ZZu3iCyRPTfXyoMctDCK4EMqfEpTPI3MvQEFh+ZegSEAtAfs+sVDy4S6UldQClwrVAnqH0+ChuAQ3F+Zpcwbq+s=",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILQH7PrFQ8uEulJXUApcK1QJ6h9PgobgENxfmaXMG6vr",
    x25519_public_key_hex: "60e391cde5717fe023a47fc34919595628fc4cd56818921a68d9997781fac95e",
    x25519_private_key_hex: "d07d91b3525dbbef8d57dd0609fce7c62fe1864b8658621d3ec6b0da220c387b",
  },
] as const;

/** Texts that are no private key. */
export const INVALID_KEYS = [
  {
    name: "empty string",
    private_key_pkcs8_base64: "",
  },
  {
    name: "not base64",
    private_key_pkcs8_base64: "%%%not-base64%%%",
  },
  {
    name: "base64url alphabet instead of base64",
    private_key_pkcs8_base64: "MC4CAQAwBQYDK2VwBCIEIPv7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7",
  },
  {
    name: "truncated DER",
    private_key_pkcs8_base64: "MC4CAQAwBQYDK2VwBCIEIKwAuZFIGKSSmpZRNL411yJCBYQ58jatdg==",
  },
  {
    name: "trailing bytes after the DER",
    private_key_pkcs8_base64:
      "MC4CAQAwBQYDK2VwBCIEIKwAuZFIGKSSmpZRNL411yJCBYQ58jatdlVncsTBLD+PAAA=",
  },
  {
    name: "X25519 private key",
    private_key_pkcs8_base64: "MC4CAQAwBQYDK2VuBCIEIIjCd+Tx+/putDEcnIgTq6OYiuUxsODVpCcGARtf00tO",
  },
  {
    name: "raw 32-byte seed, no PKCS#8",
    private_key_pkcs8_base64: "rAC5kUgYpJKallE0vjXXIkIFhDnyNq12VWdyxMEsP48=",
  },
  {
    name: "PKCS#8 v2 whose public key belongs to another private key",
    private_key_pkcs8_base64:
      "MFECAQEwBQYDK2VwBCIEIKwAuZFIGKSSmpZRNL411yJCBYQ58jatdlVncsTBLD+PgSEAlql6xS8/5F+vFB0mHr1n66KGV6JHVNHxCdiVB1w3lpM=",
  },
  {
    name: "PEM text instead of base64 DER",
    private_key_pkcs8_base64:
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIKwAuZFIGKSSmpZRNL411yJCBYQ58jatdlVncsTBLD+P\n-----END PRIVATE KEY-----\n",
  },
] as const;

/** Lines that are no sound public key. */
export const INVALID_PUBLIC_KEYS = [
  {
    name: "identity",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  },
  {
    name: "order 2",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOz///////////////////////////////////////9/",
  },
  {
    name: "order 4",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  },
  {
    name: "order 4, sign bit",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACA",
  },
  {
    name: "order 8 a",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICbolY/CsiewRcP0ifLvmPDV36wF08YzObE4AohtU/wF",
  },
  {
    name: "order 8 b",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICbolY/CsiewRcP0ifLvmPDV36wF08YzObE4AohtU/yF",
  },
  {
    name: "order 8 c",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMcXanA9TdhPujwLdg0QZw8qIFP6LDnMxk7H/XeSrAN6",
  },
  {
    name: "order 8 d",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMcXanA9TdhPujwLdg0QZw8qIFP6LDnMxk7H/XeSrAP6",
  },
  {
    name: "identity, y = p + 1",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO7///////////////////////////////////////9/",
  },
  {
    name: "identity, sign bit",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACA",
  },
  {
    name: "order 2, sign bit",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOz/////////////////////////////////////////",
  },
  {
    name: "y = p",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO3///////////////////////////////////////9/",
  },
  {
    name: "no point on the curve",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  },
  {
    name: "another algorithm name",
    ssh_public_key: "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIKoJuFSbrMMZ/qy/fDSj2JAghAcZJrH4dm5dJhAM9i5F",
  },
  {
    name: "key of 31 bytes",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAH6oJuFSbrMMZ/qy/fDSj2JAghAcZJrH4dm5dJhAM9i4=",
  },
  {
    name: "bytes after the key",
    ssh_public_key:
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKoJuFSbrMMZ/qy/fDSj2JAghAcZJrH4dm5dJhAM9i5FAA==",
  },
  {
    name: "not base64",
    ssh_public_key: "ssh-ed25519 ***",
  },
  {
    name: "empty",
    ssh_public_key: "",
  },
] as const;
