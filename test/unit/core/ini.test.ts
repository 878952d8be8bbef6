import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IniDocument, IniValueError } from "../../../src/core/ini.ts";

const original = `# written by the original engine
[device]
cik = ''
model: dubhxzv0r4e1m7vj
Vendor=dubhxzv0r4e1m7vj ; the product id
uuid = AA:BB:CC:DD:EE:FF
  ; an indented comment

[vendor extras]
colour = blue
list = one
  two
`;

const section = fc.constantFrom("device", "engine", "x y");
const key = fc.constantFrom("cik", "model", "update_interval", "a.b-c");
const value = fc
  .string({ unit: "grapheme" })
  .filter((text) => !/[\r\n]/.test(text) && text.trim() === text && !/(^|\s);/.test(text));
/** Anything a person may have left in a file, well formed or not. */
const anyText = fc
  .array(
    fc.oneof(
      fc.tuple(key, fc.constantFrom(" = ", "=", ": ", "\t:\t"), value).map((parts) => parts.join("")),
      section.map((name) => `[${name}]`),
      fc.constantFrom(
        "",
        "# note",
        "; note",
        "  indented",
        "garbage",
        "k = v ; why",
        " k2 = w",
        "\uFEFF[device]",
      ),
      fc.string(),
    ),
  )
  .chain((lines) =>
    fc
      .constantFrom("\n", "\r\n")
      .chain((eol) => fc.boolean().map((end) => lines.join(eol) + (end ? eol : ""))),
  );

describe("reading", () => {
  const document = IniDocument.parse(original);

  it("takes both delimiters, drops inline comments and compares keys without regard to case", () => {
    expect(document.get("device", "model")).toEqual(
      expect.objectContaining({ value: "dubhxzv0r4e1m7vj", line: 4 }),
    );
    expect(document.get("device", "VENDOR")?.value).toBe("dubhxzv0r4e1m7vj");
    expect(document.get("device", "uuid")?.value).toBe("AA:BB:CC:DD:EE:FF");
    expect(document.get("device", "cik")?.value).toBe("''");
  });

  it("joins continuation lines, but takes indented keys at the same depth as keys", () => {
    expect(document.get("vendor extras", "list")?.value).toBe("one\ntwo");
    const indented = IniDocument.parse("[a]\n  x = 1\n  y = 2\n");
    expect(indented.get("a", "y")?.value).toBe("2");
  });

  it("lets the last of equal keys win, over repeated sections too", () => {
    const text = "[a]\nx = 1\nx = 2\n[b]\nx = 5\n[a]\nx = 3\n";
    expect(IniDocument.parse(text).get("a", "x")?.value).toBe("3");
    expect(IniDocument.parse(text).with("a", "x", "9").toString()).toBe(text.replace("x = 3", "x = 9"));
    expect(IniDocument.parse(text).without("a", "x").toString()).toBe("[a]\n[b]\nx = 5\n[a]\n");
  });

  it("names the lines that mean nothing", () => {
    expect(IniDocument.parse("stray = 1\n[a]\nx\n= 3\n[broken\n").faultyLines).toEqual([1, 3, 4, 5]);
    expect(IniDocument.parse("\0".repeat(64)).faultyLines).toEqual([1]);
  });
});

describe("changing", () => {
  it("changes the value alone, inline comment and spacing kept", () => {
    const changed = IniDocument.parse(original).with("device", "vendor", "other").toString();
    expect(changed).toBe(original.replace("Vendor=dubhxzv0r4e1m7vj ;", "Vendor=other ;"));
  });

  it("adds a key after the last one of its section and a section at the end", () => {
    const added = IniDocument.parse(original).with("device", "iface", "eth0").with("engine", "check_in", "x");
    expect(added.toString()).toBe(
      `${original.replace("EE:FF\n", "EE:FF\niface = eth0\n")}\n[engine]\ncheck_in = x\n`,
    );
  });

  it("keeps CRLF and gives a last line without end one", () => {
    expect(IniDocument.parse("[a]\r\nx = 1").with("a", "y", "2").toString()).toBe(
      "[a]\r\nx = 1\r\ny = 2\r\n",
    );
  });

  it("replaces a continued value whole", () => {
    expect(IniDocument.parse("[a]\nx = 1\n  2\ny = 3\n").with("a", "x", "9").toString()).toBe(
      "[a]\nx = 9\ny = 3\n",
    );
  });

  it.each([" x", "x ", "a ; b", ";a", "a\nb", "a\r"])("refuses %j, which would not be read back", (bad) => {
    expect(() => IniDocument.parse("").with("a", "x", bad)).toThrow(IniValueError);
  });
});

describe("properties", () => {
  it("any text is given back byte for byte", () => {
    fc.assert(fc.property(anyText, (text) => IniDocument.parse(text).toString() === text));
  });

  it("what is set is read, and every other key keeps its value", () => {
    fc.assert(
      fc.property(anyText, section, key, value, (text, name, option, wanted) => {
        const before = IniDocument.parse(text);
        const after = before.with(name, option, wanted);
        expect(after.get(name, option)?.value).toBe(wanted);
        for (const entry of before.entries) {
          if (entry.section === name && entry.key === option) continue;
          expect(after.get(entry.section, entry.key)?.value).toBe(
            before.get(entry.section, entry.key)?.value,
          );
        }
        expect(after.faultyLines.length).toBe(before.faultyLines.length);
      }),
    );
  });

  it("a set leaves every line but its own as it was", () => {
    fc.assert(
      fc.property(anyText, section, key, value, (text, name, option, wanted) => {
        const before = IniDocument.parse(text);
        const old = before.get(name, option);
        fc.pre(old !== undefined && !old.value.includes("\n"));
        const lines = (source: string): string[] => source.split("\n");
        const expected = lines(text).filter((_, index) => index !== (old?.line ?? 0) - 1);
        const actual = lines(before.with(name, option, wanted).toString()).filter(
          (_, index) => index !== (old?.line ?? 0) - 1,
        );
        expect(actual).toEqual(expected);
      }),
    );
  });

  it("a removed key is gone and every other entry stays", () => {
    fc.assert(
      fc.property(anyText, section, key, (text, name, option) => {
        const before = IniDocument.parse(text);
        const after = before.without(name, option);
        expect(after.entries.map(({ value: kept }) => kept)).toEqual(
          before.entries
            .filter((entry) => entry.section !== name || entry.key !== option)
            .map(({ value: kept }) => kept),
        );
      }),
    );
  });
});
