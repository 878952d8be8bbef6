export interface ForwarderSettings {
  /** `batch_record_period`: the longest a record waits for company. */
  readonly batchRecordPeriodMs: number;
  /** `batch_qty`: the most entries in one request. */
  readonly batchEntries: number;
  /** Of aliases and values in one request, before they are percent-encoded. */
  readonly batchBytes: number;
  /** Identities that upload at the same time, at most. */
  readonly parallelUploads: number;
  /** The longest between two attempts while Murano refuses the CIK and a new one. */
  readonly activationRetryMs: number;
}
