/** A file as it was last read: what the path map holds, and what replies are made from. */
import type { Content } from './content.ts'
import type { FileEntry } from './entry.ts'
import type { HeldFile } from './large-file.ts'

export interface Source {
  /** `FileIdentity.key` of the file when it was read. */
  readonly identity: string
  /** Of its bytes; empty for a file above the ceiling, whose bytes nobody has read. */
  readonly hash: string
  readonly size: number
  /** Whole seconds, in milliseconds since 1970, whether or not its entry tells it. */
  readonly lastModifiedMs: number
  /** What it answers at its own path. */
  readonly entry: FileEntry
  /** To be given back when the source is replaced; null for a file above the ceiling. */
  readonly content: Content | null
  /** Keeps a file above the ceiling at hand until it is replaced here too. */
  readonly held: HeldFile | null
}
