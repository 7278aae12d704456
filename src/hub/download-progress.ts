/** How far the files that are being fetched are, all together. */
export interface DownloadProgress {
  /** The file that moved. */
  readonly file: string;
  /** Bytes that are there, those of an earlier, interrupted run included. */
  readonly received: number;
  /** Bytes wanted so far; grows when an index names more files. */
  readonly total: number;
}
