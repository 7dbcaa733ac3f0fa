/** How a site logs its requests: the options of `accessLog`, as their author writes them and complete. */

/** One line for every answered request. */
export interface AccessLogOptions {
  /** A file, relative to the configuration file, or `stdout` or `stderr`. Lines are appended; its folder has to be there. */
  readonly file: string
  /**
   * `combined` (Apache's and nginx's), `common`, `json`, or a line of one's own with nginx's variables:
   * `'$remote_addr "$request" $status $request_time'`. Default `combined`.
   */
  readonly format?: string | undefined
  /** Names of query parameters whose values are not written, besides `password`, `token` and their like. Default none. */
  readonly redact?: readonly string[] | undefined
  /** Which requests are written in part; the first rule that fits counts. Default: all are written. */
  readonly sample?: readonly AccessLogSample[] | undefined
  /** Lines that wait for a slow disk; more are dropped and counted. In bytes, default 4 MiB. */
  readonly maxBufferBytes?: number | undefined
  /** A file that has grown so long is renamed and a new one begun, in bytes. 0: never. Default 0. */
  readonly maxFileBytes?: number | undefined
  /** So is one that is so old, in seconds. 0: never. Default 0. */
  readonly maxFileSeconds?: number | undefined
  /** Renamed files that are kept; the oldest is removed. Default 10. */
  readonly keepFiles?: number | undefined
}

/** Some requests of which a part is enough. What is answered with 5xx is always written. */
export interface AccessLogSample {
  /** Paths that begin so, as sent: `/assets/`. One of `prefix` and `route`. */
  readonly prefix?: string | undefined
  /** The pattern of the route that answers: `/posts/<int:id>`. */
  readonly route?: string | undefined
  /** The part that is written, evenly: 0 none, 0.01 every hundredth, 1 all. */
  readonly share: number
}

/** `AccessLogOptions`, complete; `file` absolute unless it is one of the two streams. */
export interface SiteAccessLog {
  readonly file: string
  readonly format: string
  readonly redact: readonly string[]
  readonly sample: readonly AccessLogSample[]
  readonly maxBufferBytes: number
  readonly maxFileBytes: number
  readonly maxFileSeconds: number
  readonly keepFiles: number
}

export const ACCESS_LOG_FORMATS = ['combined', 'common', 'json'] as const

/** Names of files that are streams of the process. */
export const LOG_STREAMS: Readonly<Record<string, number>> = { stdout: 1, stderr: 2 }

export const DEFAULT_ACCESS_LOG: Omit<SiteAccessLog, 'file'> = {
  format: 'combined',
  redact: [],
  sample: [],
  maxBufferBytes: 4 * 1024 * 1024,
  maxFileBytes: 0,
  maxFileSeconds: 0,
  keepFiles: 10,
}
