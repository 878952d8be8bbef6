/** A file in an ar archive. */
export interface ArMember {
  readonly name: string;
  readonly content: Buffer;
}

/** An archive as ar(5) has it and deb(5) wants it: members in order, owned by root, all of the same time. */
export function arArchive(members: readonly ArMember[], time: Date): Buffer {
  const seconds = String(Math.floor(time.getTime() / 1000));
  const parts = members.flatMap(({ name, content }) => [
    Buffer.from(
      `${name.padEnd(16)}${seconds.padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}` +
        `${String(content.length).padEnd(10)}\`\n`,
    ),
    content,
    Buffer.from(content.length % 2 === 0 ? "" : "\n"),
  ]);
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}
