/** The native engine that can be installed: which packages, byte for byte, and for which machines. */

/** A package of the npm registry, pinned by what npm itself checks: the SHA-512 of its tarball. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** As in a lockfile: `sha512-` and base 64. */
  readonly integrity: string;
}

/** What the engine `onnxruntime` needs at run time, the same as in package-lock.json (a test compares them). */
export const ONNX_PACKAGES: readonly PinnedPackage[] = [
  {
    name: 'onnxruntime-common',
    version: '1.30.0',
    integrity:
      'sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==',
  },
  {
    name: 'onnxruntime-node',
    version: '1.30.0',
    integrity:
      'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==',
  },
];

/** Platform and architecture, as Node.js names them, that the package has binaries for. */
export const ONNX_PLATFORMS: readonly string[] = [
  'darwin-arm64',
  'linux-arm64',
  'linux-x64',
  'win32-arm64',
  'win32-x64',
];

/** Binaries of one machine in a package: `bin/napi-v6/linux/x64/libonnxruntime.so.1`. */
const BINARY = /^bin\/[^/]+\/([^/]+)\/([^/]+)\//u;

/** Whether a file of a package is of use on this machine; the tarballs carry the binaries of all. */
export function isWanted(path: string, platform: string): boolean {
  const [, system, architecture] = BINARY.exec(path) ?? [];
  return system === undefined || `${system}-${architecture ?? ''}` === platform;
}
