import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestInMeta } from "../../../src/core/content-digest.ts";

const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const other = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

describe("the digest in a content's meta", () => {
  it.each([
    `sha256=${digest}`,
    `sha256=${digest.toUpperCase()}`,
    `SHA256: ${digest}`,
    `stable; sha256=${digest}; built on Monday`,
    `release 7\nsha256=${digest}\n`,
    `{"sha256":"${digest}"}`,
    `{ "channel": "stable", "sha256": "${digest}", "size": 3 }`,
    `(sha256=${digest})`,
    `sha256=${digest} and again sha256=${digest}`,
  ])("is found in %s", (meta) => {
    expect(digestInMeta(meta)).toEqual({ kind: "digest", sha256: digest });
  });

  it.each([
    "",
    "stable",
    "checked with sha256",
    digest,
    `unpacked-sha256=${other}`,
    `unpacked_sha256=${other}`,
  ])("is not found in %j", (meta) => {
    expect(digestInMeta(meta)).toEqual({ kind: "none" });
  });

  it.each([
    ["cut short", `sha256=${digest.slice(0, 60)}`],
    ["too long", `sha256=${digest}0`],
    ["missing", "sha256="],
    ["null", '{"sha256":null}'],
  ])("is faulty when it is %s, not ignored", (_, meta) => {
    expect(digestInMeta(meta)).toEqual({
      kind: "faulty",
      reason: "the content's meta has a sha256 that is not 64 hexadecimal digits",
    });
  });

  it("is faulty when there are two", () => {
    expect(digestInMeta(`sha256=${digest} sha256=${other}`).kind).toBe("faulty");
  });

  it("is found between any other text", () => {
    const words = fc.string({ unit: "grapheme" }).filter((text) => !/sha256/i.test(text));
    fc.assert(
      fc.property(words, words, (before, after) => {
        expect(digestInMeta(`${before} sha256=${digest} ${after}`)).toEqual({
          kind: "digest",
          sha256: digest,
        });
      }),
    );
  });
});
