/**
 * Adds to package-lock.json the optional packages of other platforms that a registry mirror did not serve when the
 * lock was written: `npm ci` refuses a lock without them, on every platform. To be run after dependencies changed:
 * `npm install && node packaging/complete-lock.ts`. Such entries have no integrity; they are never installed on Linux
 * with glibc, which is what is supported.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface LockedPackage {
  readonly version?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const file = join(import.meta.dirname, "../package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, LockedPackage> };
const namePattern =
  /[-/](android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|aix|win32)-?(arm64|armv7|arm|x64|ia32|ppc64|riscv64|s390x|loong64|mips64el)?(?:-?(gnu|musl|msvc|eabi|gnueabihf|musleabihf|eabihf))?$/;

const added: string[] = [];
for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (
      path === "" ||
      `node_modules/${name}` in lock.packages ||
      `${path}/node_modules/${name}` in lock.packages
    )
      continue;
    const platform = namePattern.exec(name);
    // `fsevents` is the one package that does not carry its platform in its name.
    const os = platform?.[1] ?? (name === "fsevents" ? "darwin" : undefined);
    if (os === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
      console.warn(`left out: ${name}@${version}, wanted by ${path}`);
      continue;
    }
    const libc = platform?.[3]?.startsWith("musl")
      ? "musl"
      : platform?.[3]?.startsWith("gnu")
        ? "glibc"
        : undefined;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(platform?.[2] && { cpu: [platform[2].replace("armv7", "arm")] }),
      ...(dev && { dev }),
      ...(libc && os === "linux" && { libc: [libc] }),
      optional: true,
      os: [os],
    };
    added.push(name);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([one], [other]) => (one < other ? -1 : 1)),
);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? "nothing was missing" : `added: ${added.join(", ")}`);
