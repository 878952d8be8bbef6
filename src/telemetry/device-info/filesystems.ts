/** One row of `df`, in bytes. */
export interface FilesystemUsage {
  readonly source: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly readOnly: boolean;
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly availableBytes: number;
  /** 0 where the file system has no fixed number of them. */
  readonly inodes: number;
  readonly usedInodes: number;
}

export interface Mount {
  readonly source: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly readOnly: boolean;
}

/** Types that hold no one's data, and network types whose `statfs` can hang for ever when the server is away. */
const skippedTypes = new Set(
  (
    "autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts fusectl hugetlbfs mqueue nsfs proc pstore " +
    "rpc_pipefs securityfs selinuxfs sysfs tracefs nfs nfs4 cifs smb3 ceph 9p afs fuse.sshfs"
  ).split(" "),
);

/** Parses `/proc/self/mounts`: what `df` would list, one row per source, the shortest mount point winning. */
export function parseMounts(text: string): readonly Mount[] {
  const bySource = new Map<string, Mount>();
  for (const line of text.split("\n")) {
    const [source, mountPoint, type, options = ""] = line.split(" ").map(unescapeOctal);
    if (source === undefined || mountPoint === undefined || type === undefined || skippedTypes.has(type))
      continue;
    // Sources such as "tmpfs" or "overlay" name no device: each of their mounts is a filesystem of its own.
    const key = source.startsWith("/") ? source : `${source} ${mountPoint}`;
    const known = bySource.get(key);
    if (known === undefined || mountPoint.length < known.mountPoint.length) {
      bySource.set(key, { source, mountPoint, type, readOnly: options.split(",").includes("ro") });
    }
  }
  return [...bySource.values()];
}

/** The kernel writes space, tab, newline and backslash in mount points as `\ooo`. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** As `df -h` prints. */
export function formatDf(filesystems: readonly FilesystemUsage[]): string {
  const rows = filesystems.map(({ source, mountPoint, totalBytes, usedBytes, availableBytes }) => [
    source,
    humanSize(totalBytes),
    humanSize(usedBytes),
    humanSize(availableBytes),
    percent(usedBytes, availableBytes),
    mountPoint,
  ]);
  const header = ["Filesystem", "Size", "Used", "Avail", "Use%", "Mounted on"];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        if (column === row.length - 1) return cell;
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(" ");
  return [header, ...rows].map(line).join("\n");
}

function percent(used: number, available: number): string {
  return used + available === 0 ? "-" : `${Math.ceil((100 * used) / (used + available))}%`;
}

/** `df`'s figures: powers of 1024, rounded up, one decimal below 10. */
export function humanSize(bytes: number): string {
  const units = ["", "K", "M", "G", "T", "P"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return String(value);
  const tenths = Math.ceil(value * 10) / 10;
  return tenths < 10 ? `${tenths.toFixed(1)}${units[unit]}` : `${Math.ceil(value)}${units[unit]}`;
}
