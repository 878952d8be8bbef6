import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { eventually } from "./eventually.ts";

/** A file system (ext4) of its own in a file, mounted: what is done to it meets nobody else. Takes root. */
export class SmallDisk implements Disposable {
  readonly mount: string;
  private readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.mount = join(directory, "mount");
  }

  /** @returns undefined where mounting is not allowed */
  static make(sizeMib: number): SmallDisk | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const disk = new SmallDisk(mkdtempSync(join(tmpdir(), "gwe-disk-")));
    try {
      run("truncate", ["-s", `${sizeMib}M`, disk.image]);
      run("mkfs.ext4", ["-q", "-m", "0", disk.image]);
      run("mkdir", [disk.mount]);
      disk.attach();
      return disk;
    } catch {
      rmSync(disk.directory, { recursive: true, force: true });
      return undefined;
    }
  }

  /** Its block device, `loop3`. */
  get device(): string {
    return basename(run("findmnt", ["-n", "-o", "SOURCE", this.mount]).trim());
  }

  attach(): void {
    run("mount", ["-o", "loop,errors=remount-ro", this.image, this.mount]);
  }

  sync(): void {
    run("sync", ["-f", this.mount]);
  }

  /** As a power cycle: whatever state the file system is in, it is repaired and mounted anew. */
  async repair(): Promise<void> {
    const { device } = this;
    run("umount", [this.mount]);
    // Another mount namespace that was made meanwhile may hold it for a moment more, sick as it is.
    await eventually("the file system to be let go", () => !existsSync(`/sys/fs/ext4/${device}`), 60_000);
    // 1: errors were corrected.
    run("sh", ["-c", `e2fsck -fy '${this.image}'; [ $? -le 1 ]`]);
    this.attach();
  }

  [Symbol.dispose](): void {
    run("umount", [this.mount]);
    rmSync(this.directory, { recursive: true, force: true });
  }

  private get image(): string {
    return join(this.directory, "image");
  }
}

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
