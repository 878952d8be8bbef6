/** Offsets in the header of a 64-bit little-endian ELF file (elf(5)). */
const header = { phoff: 32, shoff: 40, phentsize: 54, phnum: 56, shnum: 60, shstrndx: 62 } as const;
/** Offsets in a program header. */
const segment = { offset: 8, fileSize: 32 } as const;

/**
 * An executable without what is not loaded to run it: symbols, debugging information and the table of sections, which
 * all come after the last segment. For any machine, unlike the `strip` of the machine that builds.
 *
 * @throws Error unless it is a 64-bit little-endian ELF file
 */
export function stripElf(file: Buffer): Buffer {
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error("not a 64-bit little-endian ELF file");
  }
  const first = Number(file.readBigUInt64LE(header.phoff));
  const size = file.readUInt16LE(header.phentsize);
  const count = file.readUInt16LE(header.phnum);
  let end = first + size * count;
  for (let index = 0; index < count; index++) {
    const at = first + size * index;
    const offset = Number(file.readBigUInt64LE(at + segment.offset));
    end = Math.max(end, offset + Number(file.readBigUInt64LE(at + segment.fileSize)));
  }
  const stripped = Buffer.from(file.subarray(0, end));
  stripped.writeBigUInt64LE(0n, header.shoff);
  stripped.writeUInt16LE(0, header.shnum);
  stripped.writeUInt16LE(0, header.shstrndx);
  return stripped;
}
