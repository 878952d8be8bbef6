import { PackageRefusedError } from "./errors.ts";

export type Member =
  | { readonly kind: "directory"; readonly mode: number }
  | { readonly kind: "file" }
  | { readonly kind: "link"; readonly target: string };

const maxDepth = 100;
const maxLinkHops = 40;
/** Linux' own bound of one name; of a whole path, room is left for where the package comes to lie. */
const maxNameBytes = 255;
const maxPathBytes = 3_072;
/** Linux' own. */
const maxTargetBytes = 4_095;

/**
 * What has been unpacked so far, by path relative to the package ("a/b"; "" is its top). The decisions about what may
 * be unpacked where are made on this alone, never by asking the file system, which the package itself has shaped.
 */
export class MemberTree {
  private readonly members = new Map<string, Member>([["", { kind: "directory", mode: 0o755 }]]);
  private nameBytes = 0;
  private readonly limits: { readonly maxMembers: number; readonly maxNameBytes: number };

  constructor(limits: { readonly maxMembers: number; readonly maxNameBytes: number }) {
    this.limits = limits;
  }

  get(path: string): Member | undefined {
    return this.members.get(path);
  }

  entries(): IterableIterator<[string, Member]> {
    return this.members.entries();
  }

  /**
   * Records a member; an earlier file or link of the same path is replaced, as tar does.
   * @throws PackageRefusedError when something else is in its way
   */
  put(path: string, member: Member): void {
    const present = this.members.get(path);
    if (present !== undefined && (present.kind === "directory") !== (member.kind === "directory")) {
      throw refused(path, `is in the package as a ${present.kind} and as a ${member.kind}`);
    }
    if (present === undefined) this.count(path);
    this.members.set(path, member);
  }

  /**
   * The ancestors of a path that no member has created yet, outermost first.
   * @throws PackageRefusedError when an ancestor is no directory: nothing is ever unpacked through a link
   */
  missingAncestors(path: string): readonly string[] {
    const missing: string[] = [];
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      const ancestor = path.slice(0, end);
      const member = this.members.get(ancestor);
      if (member === undefined) missing.push(ancestor);
      else if (member.kind !== "directory") {
        throw refused(path, `lies below ${JSON.stringify(ancestor)}, which is a ${member.kind}`);
      }
    }
    return missing;
  }

  /**
   * Follows every link as the kernel would.
   * @param root the directory that becomes the app's own: what is beside it will not be there
   * @throws PackageRefusedError for a link that leads, or could come to lead, out of `root`
   */
  checkLinks(root: string): void {
    for (const [path, member] of this.members) {
      const isInside = root === "" || path.startsWith(`${root}/`);
      if (member.kind === "link" && isInside) this.checkLink(path, member.target, root);
    }
  }

  private checkLink(path: string, target: string, root: string): void {
    const out = (): PackageRefusedError =>
      refused(path, `is a link that leads out of the package, to ${JSON.stringify(target.slice(0, 200))}`);
    const base = root === "" ? 0 : root.split("/").length;
    let at = path.split("/").slice(0, -1);
    const todo = splitTarget(target);
    if (todo === undefined) throw out();
    for (let hops = 1; todo.length > 0; ) {
      const step = todo.shift();
      if (step === undefined) break;
      if (step === "..") {
        if (at.length <= base) throw out();
        at = at.slice(0, -1);
        continue;
      }
      const next = [...at, step];
      const member = this.members.get(next.join("/"));
      if (member?.kind !== "link") {
        at = next;
        continue;
      }
      const further = splitTarget(member.target);
      if (further === undefined) throw out();
      if (++hops > maxLinkHops) throw refused(path, "is a link that goes in circles");
      todo.unshift(...further);
    }
  }

  private count(path: string): void {
    this.nameBytes += Buffer.byteLength(path);
    if (this.members.size > this.limits.maxMembers) {
      throw new PackageRefusedError(`the package holds more than ${this.limits.maxMembers} members`);
    }
    if (this.nameBytes > this.limits.maxNameBytes) {
      throw new PackageRefusedError("the names in the package are longer than any real package's");
    }
  }
}

/**
 * A member's name as a path relative to the package.
 * @throws PackageRefusedError for a name that is absolute, climbs, is no text, or longer than Linux can take
 */
export function memberPath(name: string): string {
  if (name.startsWith("/")) throw refused(name, "has an absolute name");
  if (name.includes("\0") || name.includes("�")) throw refused(name, "has a name that is not valid UTF-8");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refused(name, "climbs out of the package with '..'");
  if (parts.length > maxDepth) throw refused(name, `lies more than ${maxDepth} directories deep`);
  const path = parts.join("/");
  const isTooLong =
    Buffer.byteLength(path) > maxPathBytes || parts.some((part) => Buffer.byteLength(part) > maxNameBytes);
  if (isTooLong) throw refused(name, "has a name that is longer than Linux can take");
  return path;
}

/** @throws PackageRefusedError for a symbolic link's target that no system call would take */
export function requireTarget(name: string, target: string): void {
  // What could not be decoded would be another target than the one that was packed.
  if (target.includes("\uFFFD")) throw refused(name, "is a link to a name that is not valid UTF-8");
  if (Buffer.byteLength(target) > maxTargetBytes) {
    throw refused(name, "is a link to a name that is longer than Linux can take");
  }
}

export function refused(name: string, reason: string): PackageRefusedError {
  return new PackageRefusedError(`member ${JSON.stringify(name.slice(0, 200))} ${reason}`);
}

/** A link's target in steps; undefined for an absolute one. */
function splitTarget(target: string): string[] | undefined {
  if (target.startsWith("/")) return undefined;
  return target.split("/").filter((part) => part !== "" && part !== ".");
}
