import { createHash } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { bytesIn, filesIn, tarOf } from "../release/archive.ts";
import { arArchive } from "./ar.ts";

export interface DebOptions {
  /** The checkout. */
  readonly root: string;
  /** The unpacked release of that machine, Node included. */
  readonly release: string;
  /** An empty directory to work in. */
  readonly work: string;
  readonly arch: string;
  readonly version: string;
  readonly time: Date;
}

const maintainer =
  process.env.GWE_DEB_MAINTAINER ?? "Gateway Engine maintainers <gateway-engine@exosite.com>";
const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * What Node and SQLite's addon ask of the C libraries (`readelf -V`), and the programs that are called and are not
 * essential: groupadd, and ps by pm2.
 */
const dependencies = "libc6 (>= 2.34), libstdc++6 (>= 11), libgcc-s1, passwd, procps";

/** The parts of a release that dpkg keeps; install.sh places the program from there. */
const releaseParts = ["install.sh", "tree", "config", "specs", "VERSION"];
const home = "usr/lib/gateway-engine";

/** Builds the Debian package of a release, of the same bytes wherever it is done. */
export async function debianPackage(options: DebOptions): Promise<{ name: string; content: Buffer }> {
  const { root, release, work, time } = options;
  const version = `${options.version.replace("-", "~")}-1`;
  const arch = architectures[options.arch] ?? options.arch;
  const data = join(work, "data");
  const control = join(work, "control");
  for (const part of releaseParts) cpSync(join(release, part), join(data, home, part), { recursive: true });
  placeUnits(join(root, "packaging/systemd"), join(data, "usr/lib/systemd/system"));
  place(join(root, "packaging/sysv/gateway-engine"), join(data, "etc/init.d/gateway-engine"), 0o755);
  placeDocumentation(options, version, join(data, "usr/share"));

  mkdirSync(control);
  for (const script of ["postinst", "prerm", "postrm"]) {
    place(join(root, "packaging/debian", script), join(control, script), 0o755);
  }
  writeFileSync(join(control, "conffiles"), "/etc/init.d/gateway-engine\n");
  writeFileSync(join(control, "md5sums"), md5sums(data));
  writeFileSync(join(control, "control"), controlFile(version, arch, bytesIn(data)));
  const level = { params: { [constants.ZSTD_c_compressionLevel]: 15 } };
  return {
    name: `gateway-engine_${version}_${arch}.deb`,
    content: arArchive(
      [
        { name: "debian-binary", content: Buffer.from("2.0\n") },
        { name: "control.tar.gz", content: gzipSync(await tarOf(control, time), { level: 9 }) },
        { name: "data.tar.zst", content: zstdCompressSync(await tarOf(data, time), level) },
      ],
      time,
    ),
  };
}

function controlFile(version: string, arch: string, bytes: number): string {
  return `Package: gateway-engine
Version: ${version}
Architecture: ${arch}
Maintainer: ${maintainer}
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: ${dependencies}
Suggests: bash-completion
Section: admin
Priority: optional
Description: over-the-air updates and supervision of applications on gateways
 Gateway Engine hosts applications on Linux IoT gateways: it takes them over the
 air from Exosite Murano, installs them so that a power cut at any instant does
 no harm, keeps them running, and stores and forwards what they record.
 .
 It brings its own Node.js and needs no network to be installed.
`;
}

function placeUnits(from: string, to: string): void {
  const units = readdirSync(from).filter((name) => name.endsWith(".service"));
  for (const unit of units) place(join(from, unit), join(to, unit));
  const wants = join(to, "multi-user.target.wants");
  mkdirSync(wants);
  symlinkSync("../gateway-engine-apps.service", join(wants, "gateway-engine-apps.service"));
}

function placeDocumentation({ root, release, time }: DebOptions, version: string, share: string): void {
  const doc = join(share, "doc/gateway-engine");
  place(join(root, "packaging/debian/copyright"), join(doc, "copyright"));
  place(join(release, "sbom.cdx.json"), join(doc, "sbom.cdx.json"));
  place(join(root, "packaging/debian/lintian-overrides"), join(share, "lintian/overrides/gateway-engine"));
  const date = time.toUTCString().replace("GMT", "+0000");
  const entry = `gateway-engine (${version}) stable; urgency=medium

  * What is new is in changelog.gz.

 -- ${maintainer}  ${date}
`;
  writeFileSync(join(doc, "changelog.Debian.gz"), gzipSync(entry, { level: 9 }));
  writeFileSync(join(doc, "changelog.gz"), gzipSync(readFileSync(join(root, "CHANGELOG.md")), { level: 9 }));
}

function place(from: string, to: string, mode = 0o644): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
  chmodSync(to, mode);
}

function md5sums(directory: string): string {
  return filesIn(directory)
    .filter((path) => !path.startsWith("etc/") && !path.includes("multi-user.target.wants"))
    .map((path) => {
      const sum = createHash("md5")
        .update(readFileSync(join(directory, path)))
        .digest("hex");
      return `${sum}  ${path}\n`;
    })
    .join("");
}
