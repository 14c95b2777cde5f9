// The magic numbers of statfs(2), Linux. Between the machines of these, locks may not hold, and a change is not seen at once.
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB"],
  [0xff534d42, "CIFS"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x01021997, "9P"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x65735546, "FUSE"],
]);

/**
 * Names the network file system that a type is of.
 *
 * @param type - as `statfs` gives it on Linux; other systems number theirs otherwise, and are not told apart
 * @returns `undefined`: a file system of this machine, or one that is not known
 */
export function networkFileSystem(type: number, platform = process.platform): string | undefined {
  // The upper half is set where the number was read as a signed one.
  return platform === "linux" ? NETWORK_TYPES.get(type >>> 0) : undefined;
}
