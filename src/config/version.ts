import packageJson from "../../package.json" with { type: "json" };

/** The engine's own version, as in `gwe --version` and the default user agent. */
export const engineVersion: string = packageJson.version;

/** Version and commit that a bundle was built from; the version alone where that was no git checkout. */
export const engineBuild: string = process.env.GWE_BUILD_COMMIT
  ? `${engineVersion}_${process.env.GWE_BUILD_COMMIT}`
  : engineVersion;

/**
 * When what a bundle was built from was written, unix milliseconds; for sources that were not bundled, before any of
 * it was. No clock that tells an earlier time can be right.
 */
export const engineBuiltAtMs: number = process.env.GWE_BUILD_TIME
  ? Number(process.env.GWE_BUILD_TIME) * 1000
  : Date.UTC(2026, 0, 1);
