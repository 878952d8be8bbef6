export {
  type CheckInDependencies,
  type CheckInResult,
  checkIn,
  type IntervalSink,
  takeCommand,
} from "./check-in.ts";
export { CommandIntake, type CommandSink } from "./command-intake.ts";
export { type CikStorage, Credentials } from "./credentials.ts";
export { EngineFacts, type KnownTime } from "./facts.ts";
export { watchForCommands } from "./long-poll.ts";
export { CheckInLoop, type CheckInStatus } from "./loop.ts";
export { Outbox } from "./outbox.ts";
export { reactivatingApi } from "./reactivating-api.ts";
export { ReportComposer, type ReportSources } from "./report-composer.ts";
export { ReportDelivery } from "./report-delivery.ts";
export { engineMigrations } from "./schema.ts";
