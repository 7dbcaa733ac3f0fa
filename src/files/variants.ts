/**
 * The encoded representations of an entry: put together from what lies next to the file and what was
 * made of it. Called when either changes.
 */
import type { Coding } from '../http/accept-encoding.ts'
import { isCompressible } from '../http/compressible.ts'
import type { Encoded, FileEntry, Prepared, Representation } from './entry.ts'
import type { HeadFields } from './heads.ts'

/**
 * Puts the representations of `entry.siblings` and `entry.made` in place, all at once: an answer that was
 * chosen before stays what it is. With the first of them, or the last one gone, a file of a type that is
 * not compressible otherwise changes its own heads too, for Vary.
 */
export function refreshVariants(entry: FileEntry): void {
  const { siblings, made, heads } = entry
  const missing = made.filter(({ coding }) => !siblings.some((one) => one.coding === coding))
  entry.variants = [...siblings, ...missing]
    .sort((one, other) => one.length - other.length)
    .map((encoded) => new Variant(entry, encoded))
  const isNegotiated = entry.variants.length > 0 || isCompressible(entry.fields.type)
  if (isNegotiated === entry.isNegotiated) return
  entry.isNegotiated = isNegotiated
  entry.fields = { ...entry.fields, varies: isNegotiated }
  entry.ok = heads.ok(entry.fields, entry.ok)
  entry.notModified = heads.notModified(entry.fields)
}

/** Its heads are made when somebody first asks: most variants of most files are never sent. */
class Variant implements Representation {
  readonly coding: Coding
  readonly etag: string
  readonly #entry: FileEntry
  readonly #encoded: Encoded
  #fields: HeadFields | null
  #ok: Prepared | null
  #notModified: Prepared | null

  constructor(entry: FileEntry, encoded: Encoded) {
    this.coding = encoded.coding
    this.etag = encoded.etag
    this.#entry = entry
    this.#encoded = encoded
    this.#fields = null
    this.#ok = null
    this.#notModified = null
  }

  get fields(): HeadFields {
    const { coding, etag } = this
    this.#fields ??= { ...this.#entry.fields, coding, etag, varies: true }
    return this.#fields
  }

  get ok(): Prepared {
    this.#ok ??= this.#entry.heads.ok(this.fields, this.#encoded)
    return this.#ok
  }

  get notModified(): Prepared {
    this.#notModified ??= this.#entry.heads.notModified(this.fields)
    return this.#notModified
  }
}
