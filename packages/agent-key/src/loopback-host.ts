const LOOPBACK_V4 = /^127(?:\.\d{1,3}){3}$/;

/** Returns whether a host name of a URL names this machine's loopback: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname === "[::1]" ||
    hostname === "::1" ||
    LOOPBACK_V4.test(hostname)
  );
}
