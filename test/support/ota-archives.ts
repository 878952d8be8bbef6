import { gzipSync } from "node:zlib";

/** A member of a hand-made tar archive: what no well-meaning tar program would write. */
export interface RawMember {
  readonly name: string;
  /** tar's type flag: "0" file, "1" hard link, "2" symbolic link, "3" device, "5" directory, "6" FIFO, "x" PAX … */
  readonly type?: string;
  readonly mode?: number;
  readonly target?: string;
  readonly content?: string | Buffer;
  /** What the header claims; the content's own size by default. */
  readonly sizeBytes?: number;
}

export function rawTar(members: readonly RawMember[]): Buffer {
  return Buffer.concat([...members.flatMap(memberBlocks), Buffer.alloc(1024)]);
}

export function rawPackage(members: readonly RawMember[]): Buffer {
  return gzipSync(rawTar(members), { level: 1 });
}

/** An app's usual files, to which a test adds its trick. */
export const goodInstallScript: RawMember = {
  name: "install.sh",
  mode: 0o755,
  content: '#!/bin/sh\necho "installing $GWE_APP_NAME $GWE_APP_VERSION"\n',
};

export const goodSupervisorConf: RawMember = {
  name: "supervisor.conf",
  content: "[supervisord]\ncommand=/bin/sleep 60\n",
};

/** A package with this install.sh, long-running by default. */
export function packageWith(
  installScript: string,
  others: readonly RawMember[] = [goodSupervisorConf],
): Buffer {
  return rawPackage([{ name: "install.sh", mode: 0o755, content: installScript }, ...others]);
}

export const goodPackage: Buffer = rawPackage([goodInstallScript, goodSupervisorConf]);

function memberBlocks(member: RawMember): Buffer[] {
  const content = Buffer.from(member.content ?? "");
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return [header(member, member.sizeBytes ?? content.length), content, padding];
}

function header({ name, type = "0", mode = 0o644, target = "" }: RawMember, sizeBytes: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${sizeBytes.toString(8).padStart(11, "0")}\0`, 124);
  block.write("14371573100\0", 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(target, 157, 100);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
