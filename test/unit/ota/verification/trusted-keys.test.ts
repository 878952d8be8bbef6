import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type KeyDirectoryEntry, readTrustedKeys } from "../../../../src/ota/verification/trusted-keys.ts";
import { MinisignSigner } from "../../../support/minisign-signer.ts";

const old = new MinisignSigner();
const current = new MinisignSigner();
const file = (name: string, text: string): KeyDirectoryEntry => ({ name, bytes: Buffer.from(text) });

describe("the key directory", () => {
  it("holds several keys at a time", () => {
    const keys = readTrustedKeys([
      file("2025.pub", old.publicKeyText),
      file("2026.pub", current.publicKeyText),
    ]);
    expect(keys).toMatchObject({ isConfigured: true, problems: [], revocationProblem: null });
    expect(keys.keys).toEqual([old.trusted("2025.pub"), current.trusted("2026.pub")]);
  });

  it("names a key file that cannot be used, and uses the others", () => {
    const keys = readTrustedKeys([
      file("broken.pub", "untrusted comment: x\nRWQ\n"),
      { name: "locked.pub", problem: "cannot be read: EACCES" },
      file("good.pub", current.publicKeyText),
    ]);
    expect(keys.keys.map(({ file: name }) => name)).toEqual(["good.pub"]);
    expect(keys.problems).toEqual([
      "broken.pub line 2: not the base64 text of 42 bytes",
      "locked.pub: cannot be read: EACCES",
    ]);
  });

  it.each([
    ["nothing", [], false],
    ["other files alone", [file("README", ""), file(".x.pub", "")], false],
    ["a key", [file("a.pub", current.publicKeyText)], true],
    ["a broken key", [file("a.pub", "")], true],
    ["a revocation list alone", [file("revoked", "")], true],
  ])("with %s says whether signatures are in use", (_, entries, expected) => {
    expect(readTrustedKeys(entries).isConfigured).toBe(expected);
  });
});

describe("the revocation list", () => {
  it("has an id a line, with comments", () => {
    const { revoked, revocationProblem } = readTrustedKeys([
      file(
        "revoked",
        `# since the break-in\n\n${old.id.toLowerCase()}  2026-02-01 laptop lost\r\n${current.id}`,
      ),
    ]);
    expect(revocationProblem).toBeNull();
    expect([...revoked]).toEqual([old.id, current.id]);
  });

  it("takes an id as minisign shows it, without its leading zeros", () => {
    expect([...readTrustedKeys([file("revoked", "54C0E456918B03")]).revoked]).toEqual(["0054C0E456918B03"]);
  });

  it.each([
    ["torn by a power cut", `${old.id}\n${current.id.slice(0, 8)}`, "revoked line 2: not a key id"],
    ["full of NUL bytes", "\0".repeat(64), "revoked line 1: not a key id"],
    ["a list of something else", "2025.pub\n", "revoked line 1: not a key id"],
  ])("cannot be relied on when it is %s", (_, text, problem) => {
    const keys = readTrustedKeys([file("revoked", text), file("a.pub", current.publicKeyText)]);
    expect(keys.revocationProblem).toContain(problem);
    expect(keys.problems).toEqual([keys.revocationProblem]);
  });

  it("cannot be relied on when it cannot be read", () => {
    const { revocationProblem } = readTrustedKeys([{ name: "revoked", problem: "cannot be read: EIO" }]);
    expect(revocationProblem).toBe("revoked: cannot be read: EIO");
  });

  it("never crashes and never takes garbage for an empty list", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        const { revoked, revocationProblem } = readTrustedKeys([file("revoked", text)]);
        const isEmpty = text.split("\n").every((line) => line.trim() === "" || line.trim().startsWith("#"));
        expect(revoked.size > 0 || revocationProblem !== null).toBe(!isEmpty);
      }),
    );
  });
});
