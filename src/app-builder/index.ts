export { type BuildDependencies, buildApp, FaultyPackageError, modifiedSeconds } from "./build.ts";
export {
  type Buildfile,
  type BuildfileReading,
  buildfileKeys,
  freshBuildfile,
  nameFault,
  readBuildfile,
} from "./buildfile.ts";
export { type CheckDependencies, checkTarball } from "./check-tarball.ts";
export type { Findings } from "./findings.ts";
