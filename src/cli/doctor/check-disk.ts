import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Paths } from "../../config/index.ts";
import { describeError } from "../../core/errors.ts";
import { type Finding, fault, note, ok, warning } from "./finding.ts";

const mebi = 1024 * 1024;
/** Downloads, databases and logs of a gateway that is used as usual. */
const comfortableMib = 64;

/** Room and writability where the engine writes, and the state of its databases. */
export async function checkDisk(paths: Paths, reserveMib: number): Promise<readonly Finding[]> {
  const directories = [paths.etcDir, paths.libDir, paths.logDir, paths.runDir];
  const findings = directories.flatMap((directory) => checkDirectory(directory, reserveMib));
  for (const file of [paths.gatewayDb, paths.queueDb]) findings.push(...(await checkDatabase(file)));
  return findings;
}

function checkDirectory(directory: string, reserveMib: number): readonly Finding[] {
  const place = existing(directory);
  const findings: Finding[] = [];
  try {
    accessSync(place, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    findings.push(
      code === "EROFS"
        ? fault(
            "disk",
            `${place} is on a file system mounted read-only`,
            "'dmesg' says why: a damaged one needs fsck, then 'mount -o remount,rw'",
          )
        : note("disk", `${place} is not writable for this user`, "run 'gwe doctor' as root"),
    );
  }
  const { bavail, bsize, blocks, files, ffree } = statfsSync(place);
  findings.push(
    judgeSpace(place, { freeMib: (bavail * bsize) / mebi, sizeMib: (blocks * bsize) / mebi, reserveMib }),
  );
  // Some file systems have no fixed number of them.
  if (files > 0 && ffree < 1000) {
    findings.push(
      warning(
        "disk",
        `${place}: ${ffree} of ${files} inodes are free`,
        "remove small files that nobody needs: 'find / -xdev -size -1k'",
      ),
    );
  }
  return findings;
}

export function judgeSpace(
  place: string,
  {
    freeMib,
    sizeMib,
    reserveMib,
  }: { readonly freeMib: number; readonly sizeMib: number; readonly reserveMib: number },
): Finding {
  const text = `${place}: ${Math.floor(freeMib)} of ${Math.floor(sizeMib)} MiB are free`;
  const mend =
    "'du -xh / | sort -h | tail' shows what takes it; 'gwe remove APP', or lower kept_versions and app_logs_mib";
  if (freeMib < Math.min(reserveMib, sizeMib / 4)) return fault("disk", text, mend);
  return freeMib < Math.min(comfortableMib + reserveMib, sizeMib / 4)
    ? warning("disk", text, mend)
    : ok("disk", text);
}

function existing(directory: string): string {
  for (let place = directory; ; place = dirname(place)) if (existsSync(place)) return place;
}

async function checkDatabase(file: string): Promise<readonly Finding[]> {
  if (!existsSync(file)) return [];
  const { openReadOnly } = await import("../../platform/sqlite.ts");
  try {
    const db = openReadOnly(file);
    try {
      const found = db.pragma("quick_check(1)", { simple: true });
      return found === "ok"
        ? [ok("disk", `${file} is whole`)]
        : [
            fault(
              "disk",
              `${file} is damaged: ${String(found)}`,
              "the engine's next start sets it aside and saves what can be read: 'systemctl restart gateway-engine'",
            ),
          ];
    } finally {
      db.close();
    }
  } catch (error) {
    return [
      note("disk", `${file} could not be looked at (${describeError(error)})`, "run 'gwe doctor' as root"),
    ];
  }
}

/** Memory that programs can still have. */
export function checkMemory(): readonly Finding[] {
  const text = readFileSync("/proc/meminfo", "latin1");
  const mib = (key: string): number | undefined => {
    const kib = new RegExp(`^${key}: *(\\d+) kB$`, "m").exec(text)?.[1];
    return kib === undefined ? undefined : Math.floor(Number(kib) / 1024);
  };
  const [available, total] = [mib("MemAvailable"), mib("MemTotal")];
  if (available === undefined || total === undefined) return [];
  const said = `${available} of ${total} MiB of memory are available`;
  return [
    available < 48
      ? warning(
          "memory",
          said,
          "'gwe status' and 'ps aux --sort -rss' show who takes it: an update needs some 50 MiB for a moment",
        )
      : ok("memory", said),
  ];
}
