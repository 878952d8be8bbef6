/** One archive that a release server offers. */
export interface Release {
  readonly file: string;
  readonly version: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

const linePattern =
  /^([0-9a-f]{64})[ \t]+\*?(GatewayEngine\.v([A-Za-z0-9][A-Za-z0-9._+-]*?)(?:-linux-([a-z0-9_]+))?\.tar\.gz)$/;
/** Numbers in versions count as numbers: 1.10 comes after 1.9. */
const byVersion = new Intl.Collator("en", { numeric: true });

/**
 * The newest engine release in a `SHA256SUMS` file that runs on this architecture: `GatewayEngine.v<VERSION>.tar.gz`, or
 * with `-linux-<arch>`, which is preferred. Other files in the list are nobody's fault.
 *
 * @param arch as in `process.arch`
 */
export function latestRelease(sha256Sums: string, arch: string): Release | undefined {
  const releases = sha256Sums.split(/\r?\n/).flatMap((line) => {
    const [, sha256, file, version, forArch] = linePattern.exec(line.trim()) ?? [];
    if (sha256 === undefined || file === undefined || version === undefined) return [];
    return forArch === undefined || forArch === arch
      ? [{ file, version, sha256, isOurs: forArch === arch }]
      : [];
  });
  const [latest] = releases.sort(
    (one, other) =>
      byVersion.compare(other.version, one.version) || Number(other.isOurs) - Number(one.isOurs),
  );
  return latest && { file: latest.file, version: latest.version, sha256: latest.sha256 };
}
