export type { EngineUpdateHost, EngineUpdateOutcome } from "./engine-update.ts";
export type { FetchStatusApp, FetchStatusReport, FetchStatusWord } from "./fetch-status.ts";
export { readHistory } from "./history.ts";
export type { AcceptOutcome, AcceptRequest, CommandResult } from "./intake.ts";
export { defaultOtaLimits, type OtaLimits } from "./limits.ts";
export { Ota } from "./ota.ts";
export { type PackageRole, packageRole } from "./package-role.ts";
export type { OtaDependencies, OtaPlatform, TransitionNotice } from "./ports.ts";
export { otaMigrations } from "./schema.ts";
export type { SettingsHost } from "./settings-host.ts";
export type { SettingTexts } from "./settings-trial.ts";
export { chooseInstaller } from "./steps/unpack.ts";
export {
  type UnpackedPackage,
  type WorkerAnswer,
  type WorkerRequest,
  workerAnswer,
} from "./worker/protocol.ts";
