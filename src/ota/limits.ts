import type { RetrySchedule } from "../core/retry.ts";

const minuteMs = 60_000;
const mebibyte = 1024 * 1024;

/** When the part of a download that is held is made durable: flash wears out, and every sync takes time. */
export interface CheckpointLimits {
  /** After this many new bytes… */
  readonly bytes: number;
  /** …but not sooner than this: a fast link soon has them again. */
  readonly minIntervalMs: number;
  /** After this time, when there are any new bytes at all. */
  readonly maxIntervalMs: number;
}

/** Every bound of the update pipeline. Milliseconds and bytes. */
export interface OtaLimits {
  /** An installer that runs longer is ended with its whole process group. */
  readonly installerTimeoutMs: number;
  /** From SIGTERM to SIGKILL for an installer that is ended. */
  readonly installerKillAfterMs: number;
  /** So much longer than a script may take its attendant may, before it is taken for stuck. */
  readonly attendantGraceMs: number;
  /** How long a script whose attendant is gone waits for the engine's own end: the whole gateway may be going down. */
  readonly lostScriptGraceMs: number;
  /** Tail of the installer's output that is kept. */
  readonly installerOutputBytes: number;
  /** Disk space that no package may use. */
  readonly reserveBytes: number;
  /** How long a download may go without a new byte before it fails. Counted while the engine runs. */
  readonly downloadDeadlineMs: number;
  /** How long it may take in all, however slowly it moves. Counted while the engine runs. */
  readonly downloadTotalMs: number;
  /** Between attempts that bring no new byte. */
  readonly downloadRetry: RetrySchedule;
  /** How many of those in a row end the download. */
  readonly downloadAttempts: number;
  /** Before going on after an attempt that was cut but brought bytes. */
  readonly downloadResumeDelayMs: number;
  /** A transfer that brings no byte for this long is broken off, to be resumed. */
  readonly downloadIdleMs: number;
  /** 0: as fast as it comes. */
  readonly downloadBytesPerSecond: number;
  readonly downloadCheckpoint: CheckpointLimits;
  /** Answers in a row that contradict what Murano announced before the download fails. */
  readonly wrongSizeRetries: number;
  /** How often a content may be replaced while it is being downloaded. */
  readonly contentChanges: number;
  /** Bytes that a package is expected to unpack to, for each of its own (docs/ota.md, "Download", says by what measure). */
  readonly unpackedRatio: number;
  readonly unpackTimeoutMs: number;
  /** Heap of the unpacking process, in MiB. */
  readonly workerHeapMib: number;
  readonly maxMembers: number;
  /** Bytes of all member names together: they are held in memory while unpacking. */
  readonly maxNameBytes: number;
  /** How long supervision may take to register and start an app. */
  readonly deployTimeoutMs: number;
  /** How long a fresh app may take to reach a settled state. */
  readonly settleTimeoutMs: number;
  /** How long a fresh version with a `health` script has to stay RUNNING before the script is asked. */
  readonly probationMs: number;
  /** How often an app is looked at during its probation. */
  readonly probationPollMs: number;
  readonly healthTimeoutMs: number;
  /** How often `health` may fail before the version does, and the pause in between. */
  readonly healthAttempts: number;
  readonly healthRetryMs: number;
  /** Of an app's log, what is told of a version that failed. */
  readonly logTailLines: number;
  /** How long new settings of the engine may be in force without a check-in before the old ones are put back. */
  readonly settingsTrialMs: number;
  /** How often the journal notes how long that has been: a crash forgets no more than this. */
  readonly settingsTrialNoteMs: number;
  /** Work on a command starts without its clearing acknowledged after this. */
  readonly clearingGraceMs: number;
  /** How long `stop()` lets supervision finish what it was asked to do to an app. */
  readonly stopGraceMs: number;
  /** Versions of an app kept on disk, the registered one included. */
  readonly keptVersions: number;
  /** Disk space of all kept versions. The registered one and the one before it are kept whatever they take. */
  readonly keptBytes: number;
  /** Ended commands kept in the journal. */
  readonly keptCommands: number;
}

export const defaultOtaLimits: OtaLimits = {
  installerTimeoutMs: 30 * minuteMs,
  installerKillAfterMs: 10_000,
  attendantGraceMs: minuteMs,
  lostScriptGraceMs: 2_000,
  installerOutputBytes: 60 * 1024,
  reserveBytes: 16 * mebibyte,
  downloadDeadlineMs: 24 * 60 * minuteMs,
  downloadTotalMs: 7 * 24 * 60 * minuteMs,
  downloadRetry: { firstDelayMs: 2_000, maxDelayMs: 15 * minuteMs, factor: 2, jitter: 0.5 },
  downloadAttempts: 300,
  downloadResumeDelayMs: 250,
  downloadIdleMs: minuteMs,
  downloadBytesPerSecond: 0,
  downloadCheckpoint: { bytes: 4 * mebibyte, minIntervalMs: 1_000, maxIntervalMs: 30_000 },
  wrongSizeRetries: 4,
  contentChanges: 8,
  unpackedRatio: 2,
  unpackTimeoutMs: 30 * minuteMs,
  workerHeapMib: 128,
  maxMembers: 200_000,
  maxNameBytes: 32 * mebibyte,
  deployTimeoutMs: 2 * minuteMs,
  settleTimeoutMs: 2 * minuteMs,
  probationMs: 30_000,
  probationPollMs: 500,
  healthTimeoutMs: 30_000,
  healthAttempts: 3,
  healthRetryMs: 5_000,
  logTailLines: 20,
  settingsTrialMs: 10 * minuteMs,
  settingsTrialNoteMs: minuteMs,
  clearingGraceMs: 30_000,
  stopGraceMs: 5_000,
  keptVersions: 2,
  keptBytes: 256 * mebibyte,
  keptCommands: 200,
};
