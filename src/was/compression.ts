/** The key `compression` of a configuration, as its author writes it and complete. Read by `config.ts`. */

/** How views' replies are compressed. Static files have variants of their own. */
export interface Compression {
  /** Shorter bodies go as they are, in bytes. Default 1024. Streams have no length and are compressed. */
  readonly minBytes?: number | undefined
  /** Media types besides text, markup, scripts, JSON and fonts, without parameters. Default none. */
  readonly types?: readonly string[] | undefined
}

/** `Compression`, complete. */
export interface CompressionConfig {
  readonly minBytes: number
  readonly types: readonly string[]
}

export const DEFAULT_COMPRESSION: CompressionConfig = { minBytes: 1024, types: [] }
