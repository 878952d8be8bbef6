import type { Buildfile } from "./buildfile.ts";
import { compileGlob, type Glob } from "./glob.ts";

/**
 * What no package is meant to hold, unless an `includes` entry names it without a wildcard: version control, what
 * operating systems, editors and Python leave behind.
 */
const strayNames = [
  /^\.(?:git|hg|svn|bzr)$/,
  /^(?:\.DS_Store|\._.*|Thumbs\.db)$/s,
  /^(?:.*~|\..*\.sw[op])$/s,
  /^__pycache__$/,
];

/** Decides which paths below a buildfile's directory go into the package. Pure. */
export class Selection {
  private readonly includes: readonly { readonly pattern: string; readonly glob: Glob }[];
  private readonly excludes: readonly Glob[];
  private readonly isOwnOutput: (path: string) => boolean;
  private readonly met = new Set<string>();

  /** @param buildfilePath relative; undefined where there is none */
  constructor(
    buildfile: Pick<Buildfile, "name" | "includes" | "excludes">,
    buildfilePath: string | undefined,
  ) {
    this.includes = buildfile.includes.map((pattern) => ({ pattern, glob: compileGlob(pattern) }));
    this.excludes = buildfile.excludes.map(compileGlob);
    this.isOwnOutput = (path) => path === buildfilePath || isPackageOf(buildfile.name, path);
  }

  takes(path: string): boolean {
    if (this.isShutOut(path)) return false;
    const segments = path.split("/");
    let taken = false;
    for (const { pattern, glob } of this.includes) {
      if (!glob.matches(path) || isStray(segments.slice(glob.base.length))) continue;
      this.met.add(pattern);
      taken = true;
    }
    return taken;
  }

  /** Whether anything in a directory could be taken: where not, it need not be read. */
  mayHold(directory: string): boolean {
    if (this.isShutOut(directory)) return false;
    const segments = directory.split("/");
    return this.includes.some(({ glob: { base } }) => {
      const common = Math.min(base.length, segments.length);
      const isOnTheWay = segments.slice(0, common).every((segment, index) => segment === base[index]);
      return isOnTheWay && !isStray(segments.slice(base.length));
    });
  }

  /** Entries of `includes` that took nothing so far. */
  unmet(): readonly string[] {
    return this.includes.map(({ pattern }) => pattern).filter((pattern) => !this.met.has(pattern));
  }

  private isShutOut(path: string): boolean {
    return this.isOwnOutput(path) || this.excludes.some((glob) => glob.matches(path));
  }
}

function isStray(segments: readonly string[]): boolean {
  return segments.some((segment) => strayNames.some((pattern) => pattern.test(segment)));
}

/** Earlier packages of the same app, and ones being written (see `partialName`). */
function isPackageOf(app: string, path: string): boolean {
  if (path.includes("/")) return false;
  const name = path.replace(/^\.(.*)\.\d+\.partial$/s, "$1");
  return name.startsWith(`${app}.v`) && name.endsWith(".tar.gz");
}

/** The name under which a package is written until it is whole and checked. */
export function partialName(packageName: string, pid: number): string {
  return `.${packageName}.${pid}.partial`;
}
