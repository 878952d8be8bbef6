import { describe, expect, it } from "vitest";
import { wantedDigest } from "../../../../src/ota/verification/meta-digest.ts";

const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const other = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

describe("the digest that a package must have", () => {
  it("comes from the command, from the meta, or from neither", () => {
    expect(wantedDigest(digest, "stable")).toEqual({ kind: "wanted", sha256: digest });
    expect(wantedDigest(null, `sha256=${digest}`)).toEqual({ kind: "wanted", sha256: digest });
    expect(wantedDigest(digest, `sha256=${digest}`)).toEqual({ kind: "wanted", sha256: digest });
    expect(wantedDigest(null, null)).toEqual({ kind: "wanted", sha256: null });
  });

  it("cannot be two at once", () => {
    expect(wantedDigest(other, `sha256=${digest}`)).toEqual({
      kind: "refused",
      reason: `the command asks for SHA-256 ${other}, the content's meta for ${digest}`,
    });
    expect(wantedDigest(other, "sha256=?").kind).toBe("refused");
  });
});
