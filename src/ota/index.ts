export type { FetchStatusApp, FetchStatusReport, FetchStatusWord } from "./fetch-status.ts";
export type { AcceptOutcome, AcceptRequest, CommandResult } from "./intake.ts";
export { defaultOtaLimits, type OtaLimits } from "./limits.ts";
export { Ota } from "./ota.ts";
export type { OtaDependencies, OtaPlatform, TransitionNotice } from "./ports.ts";
export { otaMigrations } from "./schema.ts";
