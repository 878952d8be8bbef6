import { posix } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemberTree, memberPath } from "../../../src/ota/worker/member-tree.ts";

const limits = { maxMembers: 1_000, maxNameBytes: 100_000 };
const segment = fc.constantFrom("a", "b", "..", ".", "", "c d", "é");
const name = fc.array(segment, { maxLength: 6 }).map((parts) => parts.join("/"));

describe("memberPath", () => {
  it("never leads out of the package", () => {
    fc.assert(
      fc.property(name, (text) => {
        let path: string;
        try {
          path = memberPath(text);
        } catch {
          return true;
        }
        const resolved = posix.join("/root", path);
        return resolved === "/root" || resolved.startsWith("/root/");
      }),
    );
  });

  it.each([
    ["./install.sh", "install.sh"],
    ["a//b/", "a/b"],
    ["./", ""],
    [" leading space", " leading space"],
    ["back\\slash", "back\\slash"],
    ["..name", "..name"],
  ])("takes %j as %j", (text, path) => {
    expect(memberPath(text)).toBe(path);
  });
});

describe("links", () => {
  it("are accepted only when the kernel would stay inside, whatever they lead through", () => {
    const link = fc.record({
      at: fc.constantFrom("l", "m", "d/n", "d/e/o"),
      target: fc.array(fc.constantFrom("..", "d", "e", "l", "m", "n", "o"), { minLength: 1, maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(link, { minLength: 1, maxLength: 5 }), (links) => {
        const tree = new MemberTree(limits);
        for (const path of ["d", "d/e"]) tree.put(path, { kind: "directory", mode: 0o755 });
        const targets = new Map(links.map(({ at, target }) => [at, target.join("/")]));
        for (const [at, target] of targets) tree.put(at, { kind: "link", target });
        let accepted = true;
        try {
          tree.checkLinks("");
        } catch {
          accepted = false;
        }
        const escapes = [...targets.keys()].some((at) => resolves(at, targets) === "outside");
        return !(accepted && escapes);
      }),
    );
  });
});

/** The kernel's own way, written apart from the code under test: recursion over prefixes. */
function resolves(path: string, targets: ReadonlyMap<string, string>, depth = 0): string {
  if (depth > 50) return "loop";
  let at = "";
  for (const part of path.split("/")) {
    if (part === "..") {
      if (at === "") return "outside";
      at = at.includes("/") ? at.slice(0, at.lastIndexOf("/")) : "";
      continue;
    }
    const next = at === "" ? part : `${at}/${part}`;
    const target = targets.get(next);
    if (target === undefined) {
      at = next;
      continue;
    }
    const followed = resolves(at === "" ? target : `${at}/${target}`, targets, depth + 1);
    if (followed === "outside" || followed === "loop") return followed;
    at = followed;
  }
  return at;
}
