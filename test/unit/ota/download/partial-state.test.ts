import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkDigests } from "../../../../src/ota/download/chunk-digests.ts";
import {
  chunkBytesFor,
  encodeState,
  maxStateBytes,
  parseState,
} from "../../../../src/ota/download/partial-state.ts";

const mebibyte = 1024 * 1024;
const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

describe("chunk digests", () => {
  it("are those of the chunks, however the bytes come in", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 1, max: 30 }),
        (parts, size) => {
          const digests = new ChunkDigests(size);
          for (const part of parts) digests.update(part);
          const all = Buffer.concat(parts);
          const expected: string[] = [];
          for (let at = 0; at < all.length; at += size) expected.push(sha256(all.subarray(at, at + size)));
          expect(digests.bytes).toBe(all.length);
          expect(digests.list()).toEqual(expected);
          expect(digests.whole()).toBe(sha256(all));
        },
      ),
    );
  });

  it("of a fork go on by themselves", () => {
    const digests = new ChunkDigests(4);
    digests.update(Buffer.from("abcdef"));
    const fork = digests.fork();
    fork.update(Buffer.from("gh!"));
    expect(digests.list()).toEqual(["abcd", "ef"].map((text) => sha256(Buffer.from(text))));
    expect([digests.whole(), fork.whole()]).toEqual([
      sha256(Buffer.from("abcdef")),
      sha256(Buffer.from("abcdefgh!")),
    ]);
    expect(fork.list()).toEqual(["abcd", "efgh", "!"].map((text) => sha256(Buffer.from(text))));
  });
});

/** 2.5 chunks held. */
const state = {
  id: "meter.v1.tar.gz",
  sizeBytes: 10 * mebibyte,
  updatedAt: 1_700_000_000,
  heldBytes: 2.5 * mebibyte,
  chunkBytes: mebibyte,
  digests: ["a", "b", "c"].map((digit) => digit.repeat(64)),
};

describe("a side file", () => {
  it("comes back as it was written", () => {
    expect(parseState(encodeState(state))).toMatchObject(state);
  });

  it.each([
    ["more held than there is", { heldBytes: 10 * mebibyte + 1 }],
    ["fewer digests than chunks", { digests: state.digests.slice(1) }],
    ["more digests than chunks", { heldBytes: 2 * mebibyte }],
    ["chunks of another size", { chunkBytes: 2 * mebibyte, digests: state.digests.slice(1) }],
    ["a negative number", { heldBytes: -1, digests: [] }],
    ["a digest that is none", { digests: ["a", "b", "c"] }],
  ])("with %s is none", (_what, change) => {
    expect(parseState(encodeState({ ...state, ...change }))).toBeUndefined();
  });

  it("of any text is read without harm", () => {
    const broken = fc.oneof(
      fc.string(),
      fc.json(),
      fc.nat(300).map((end) => encodeState(state).slice(0, end)),
    );
    fc.assert(
      fc.property(broken, (text) => {
        expect(parseState(text)).toBeUndefined();
      }),
    );
  });

  it("stays small however big the content is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 44 }), (sizeBytes) => {
        const chunkBytes = chunkBytesFor(sizeBytes);
        expect(chunkBytes % mebibyte).toBe(0);
        const digests = Array.from({ length: Math.ceil(sizeBytes / chunkBytes) }, () => "a".repeat(64));
        const text = encodeState({ ...state, sizeBytes, heldBytes: sizeBytes, chunkBytes, digests });
        expect(text.length).toBeLessThan(maxStateBytes);
        expect(parseState(text)).toBeDefined();
      }),
    );
  });
});
