import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  maxPublicKeyBytes,
  maxSignatureBytes,
  parsePublicKey,
  parseSignature,
} from "../../../../src/ota/verification/minisign-format.ts";
import { MinisignSigner, publicKeyText } from "../../../support/minisign-signer.ts";

const signer = new MinisignSigner();
const text = signer
  .sign(Buffer.from("package"), { trustedComment: "file:meter.v1.tar.gz\thashed" })
  .toString();
const signatureLines = text.trimEnd().split("\n");

const parse = (value: string | Uint8Array) => parseSignature(Buffer.from(value));
const parseKey = (value: string | Uint8Array) => parsePublicKey(Buffer.from(value));
const withLine = (index: number, line: string) => signatureLines.with(index, line).join("\n");

describe("a signature", () => {
  it("is read with every kind of line end", () => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({
      kind: "parsed",
      value: { keyId: signer.id, mode: "prehashed", trustedComment: "file:meter.v1.tar.gz\thashed" },
    });
    expect(parse(text.trimEnd())).toEqual(parsed);
    expect(parse(`${text}\n\n`)).toEqual(parsed);
    expect(parse(text.replaceAll("\n", "\r\n"))).toEqual(parsed);
  });

  it.each([
    ["an empty text", "", null, /empty/],
    ["a text without end", "a".repeat(maxSignatureBytes + 1), null, /longer than/],
    ["HTML", "<html>\n<body>\nNot found\n</body>\n", 1, /untrusted comment/],
    ["a broken second line", withLine(1, "RUQD"), 2, /base64 text of 74 bytes/],
    ["another alphabet of base64", withLine(1, `-${signatureLines[1]?.slice(1)}`), 2, /base64/],
    ["an unknown algorithm", withLine(1, `AAAA${signatureLines[1]?.slice(4)}`), 2, /algorithm/],
    ["a lost trusted comment", withLine(2, signatureLines[3] ?? ""), 3, /trusted comment/],
    ["a broken last line", withLine(3, "AAAA"), 4, /base64 text of 64 bytes/],
    ["the first lines alone", signatureLines.slice(0, 2).join("\n"), 2, /the last line/],
    ["a line too many", `${text}more\n`, 5, /one too many/],
    ["a NUL-filled file", "\0".repeat(300), 1, /the last line/],
  ])("is malformed when it is %s", (_, value, line, problem) => {
    expect(parse(value)).toEqual({ kind: "malformed", line, problem: expect.stringMatching(problem) });
  });

  it("is malformed when a line is not UTF-8, and says which", () => {
    const bytes = Buffer.from(text);
    bytes[bytes.indexOf("meter")] = 0xff;
    expect(parse(bytes)).toEqual({ kind: "malformed", line: 3, problem: "not UTF-8 text" });
  });

  it("is never read out of random bytes, and never crashes the parsers", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.constantFrom(...signatureLines, "", "\r", "untrusted comment: x")).map((lines) => {
        return Buffer.from(lines.join("\n"));
      }),
    );
    fc.assert(
      fc.property(bytes, (value) => {
        const parsed = parse(value);
        if (parsed.kind === "malformed") expect(parsed.problem).not.toBe("");
        else expect(Buffer.from(value).toString()).toContain(signatureLines[3]);
        expect(parseKey(value).kind).toBe("malformed");
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a public key", () => {
  it("is read", () => {
    expect(parseKey(signer.publicKeyText)).toEqual({
      kind: "parsed",
      value: { id: signer.id, raw: signer.raw },
    });
    expect(parseKey(signer.publicKeyText.replaceAll("\n", "\r\n")).kind).toBe("parsed");
  });

  it("shows its id in 16 digits, zeros included", () => {
    const { idBytes } = new MinisignSigner(Buffer.from("0100000000000000", "hex"));
    expect(parseKey(publicKeyText(idBytes, signer.raw))).toMatchObject({ value: { id: "0000000000000001" } });
  });

  const encoded = signer.publicKeyText.split("\n")[1] ?? "";
  it.each([
    ["an empty text", "", null, /empty/],
    ["a text without end", "a".repeat(maxPublicKeyBytes + 1), null, /longer than/],
    ["the base64 line alone", encoded, 1, /the last line/],
    ["a PEM file", "-----BEGIN PUBLIC KEY-----\nabc", 1, /untrusted comment/],
    ["a torn line", `untrusted comment: x\n${encoded.slice(0, 30)}\n`, 2, /base64 text of 42 bytes/],
    ["a secret key", `untrusted comment: x\n${Buffer.alloc(158).toString("base64")}`, 2, /secret key/],
    ["an unknown algorithm", `untrusted comment: x\nAAAA${encoded.slice(4)}\n`, 2, /algorithm/],
  ])("is malformed when it is %s", (_, value, line, problem) => {
    expect(parseKey(value)).toEqual({ kind: "malformed", line, problem: expect.stringMatching(problem) });
  });

  it.each([
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ])("is refused when anybody could sign for it: %s", (hex) => {
    const raw = Buffer.from(hex, "hex");
    for (const sign of [0, 0x80]) {
      raw[31] = ((raw[31] ?? 0) & 0x7f) | sign;
      expect(parseKey(publicKeyText(signer.idBytes, raw))).toEqual({
        kind: "malformed",
        line: 2,
        problem: "a weak key, for which anybody can make signatures",
      });
    }
  });
});
