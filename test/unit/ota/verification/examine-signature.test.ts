import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  examineSignature,
  type SignatureExamination,
  type SignatureState,
} from "../../../../src/ota/verification/examine-signature.ts";
import { MinisignSigner } from "../../../support/minisign-signer.ts";

const signer = new MinisignSigner();
const content = Buffer.from("the package");
const packageFile = "meter.v1.tar.gz";
const trustedComment = `timestamp:1\tfile:${packageFile}\thashed`;
const good = signer.sign(content, { trustedComment });

function examine(
  bytes: Uint8Array,
  changes: Partial<SignatureExamination> = {},
  file: Uint8Array = content,
): Promise<SignatureState> {
  return examineSignature({
    answer: { kind: "found", bytes },
    keys: { keys: [signer.trusted()], revoked: new Set() },
    packageFile,
    prehash: async () => createHash("blake2b512").update(file).digest(),
    ...changes,
  });
}

/** For signatures that must be refused before the package is read. */
const unread = async (): Promise<never> => expect.fail("the package was read");

describe("a signature", () => {
  it("is valid for its package, by its key", async () => {
    expect(await examine(good)).toEqual({ kind: "valid", keyId: signer.id, trustedComment });
  });

  it("is found by its key among several, also by one whose id another key shares", async () => {
    const namesake = new MinisignSigner(signer.idBytes);
    const keys = [new MinisignSigner().trusted(), namesake.trusted("a.pub"), signer.trusted("b.pub")];
    expect(await examine(good, { keys: { keys, revoked: new Set() } })).toMatchObject({ kind: "valid" });
  });

  it("of another file is refused", async () => {
    expect(await examine(good, {}, Buffer.from("the package!"))).toEqual({
      kind: "other-file",
      keyId: signer.id,
    });
  });

  it("that is missing is named by where it should have been", async () => {
    const answer = { kind: "none", lookedFor: "no file x.minisig" } as const;
    expect(await examine(good, { answer, prehash: unread })).toEqual({
      kind: "missing",
      lookedFor: "no file x.minisig",
    });
  });

  it("by an unknown, or a revoked, key is refused without reading the package", async () => {
    const stranger = new MinisignSigner();
    expect(await examine(stranger.sign(content, { trustedComment }), { prehash: unread })).toEqual({
      kind: "unknown-key",
      keyId: stranger.id,
    });
    for (const keys of [[signer.trusted()], []]) {
      expect(await examine(good, { keys: { keys, revoked: new Set([signer.id]) }, prehash: unread })).toEqual(
        { kind: "revoked-key", keyId: signer.id },
      );
    }
  });

  it("that claims a trusted key's id without its secret is refused", async () => {
    const impostor = new MinisignSigner(signer.idBytes);
    expect(await examine(impostor.sign(content, { trustedComment }), { prehash: unread })).toEqual({
      kind: "altered",
      keyId: signer.id,
    });
  });

  it("whose trusted comment was changed is refused", async () => {
    const changed = Buffer.from(good.toString().replace("timestamp:1", "timestamp:2"));
    expect(await examine(changed, { prehash: unread })).toEqual({ kind: "altered", keyId: signer.id });
  });

  it("whose trusted comment comes from another signature of the same key is refused", async () => {
    const lines = good.toString().split("\n");
    const otherLines = signer.sign(Buffer.from("other"), { trustedComment }).toString().split("\n");
    const mixed = Buffer.from([...lines.slice(0, 2), ...otherLines.slice(2)].join("\n"));
    expect(await examine(mixed, { prehash: unread })).toEqual({ kind: "altered", keyId: signer.id });
  });

  it("of an older package does not make that package pass for a newer one", async () => {
    expect(await examine(good, { packageFile: "meter.v2.tar.gz", prehash: unread })).toEqual({
      kind: "other-name",
      keyId: signer.id,
      names: [packageFile],
    });
  });

  it.each([
    ["no file", "release 7", []],
    ["another and this", `file:x file:${packageFile}`, ["x", packageFile]],
    ["this as part of a longer name", `file:old-${packageFile}`, [`old-${packageFile}`]],
    ["this with a path", `file:/tmp/${packageFile}`, [`/tmp/${packageFile}`]],
  ])("that names %s is refused", async (_, comment, names) => {
    const bytes = signer.sign(content, { trustedComment: comment });
    expect(await examine(bytes, { prehash: unread })).toEqual({
      kind: "other-name",
      keyId: signer.id,
      names,
    });
  });

  it("may say more, parted by spaces", async () => {
    const bytes = signer.sign(content, { trustedComment: `release 7 file:${packageFile} für alle` });
    expect(await examine(bytes)).toMatchObject({ kind: "valid" });
  });

  it("of the legacy kind is refused without reading the package, also one made from a prehashed one", async () => {
    const legacy = signer.sign(content, { mode: "Ed", trustedComment });
    const disguised = good.toString().split("\n");
    disguised[1] = `RW${disguised[1]?.slice(2)}`;
    for (const bytes of [legacy, Buffer.from(disguised.join("\n"))]) {
      expect(await examine(bytes, { prehash: unread })).toEqual({ kind: "legacy", keyId: signer.id });
    }
  });

  it("never verifies with any byte changed, but for the untrusted comment", async () => {
    const freeFrom = "untrusted comment:".length;
    const freeTo = good.indexOf("\n");
    for (let index = 0; index < good.length; index++) {
      if (index >= freeFrom && index < freeTo) continue;
      // Every bit, and some combinations.
      for (const flip of [1, 2, 3, 4, 7, 8, 16, 32, 64, 85, 127, 128, 170, 255]) {
        const changed = Buffer.from(good);
        changed[index] = (changed[index] ?? 0) ^ flip;
        const { kind } = await examine(changed);
        if (kind === "valid") expect.fail(`valid with byte ${index} ^ ${flip}`);
      }
    }
  });

  it("never verifies when it is cut, doubled or spliced", async () => {
    const range = fc.tuple(fc.nat(good.length), fc.nat(good.length));
    await fc.assert(
      fc.asyncProperty(range, fc.uint8Array({ maxLength: 8 }), async ([from, to], inserted) => {
        const changed = Buffer.concat([good.subarray(0, from), inserted, good.subarray(to)]);
        const { kind } = await examine(changed);
        if (kind !== "valid") return;
        // What is left of the signed lines must be what was signed.
        const signed = (text: Buffer) => text.toString().split(/\r?\n/).slice(1, 4);
        expect(signed(changed)).toEqual(signed(good));
      }),
      { numRuns: 2_000 },
    );
  });

  it("never verifies a package with any byte changed", async () => {
    for (let index = 0; index < content.length; index++) {
      const changed = Buffer.from(content);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect((await examine(good, {}, changed)).kind).toBe("other-file");
    }
  });
});
