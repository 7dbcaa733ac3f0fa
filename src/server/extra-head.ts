/**
 * Puts further fields behind the head of a static reply. The catalogue's heads stay as they are; each
 * combination is made once and kept for as long as its reply.
 */
import type { Prepared } from '../files/entry.ts'
import type { HeaderList } from '../http/headers.ts'
import type { SiteRules } from '../was/site-rules.ts'

/** Fields that are the same object are the same fields. */
export interface ExtraFields {
  readonly list: Readonly<HeaderList>
}

const made = new WeakMap<ExtraFields, WeakMap<Prepared, Prepared>>()

/** The reply with the CORS fields that the site has for `path`, which is encoded. */
export function share(
  prepared: Prepared,
  rules: SiteRules,
  path: string,
  origin: string,
): Prepared {
  const fields = rules.fields(decoded(path), origin)
  return fields === null ? prepared : withFields(prepared, fields)
}

/** The path of an entry, as views and rules have it. */
export function decoded(path: string): string {
  return path.includes('%') ? decodeURIComponent(path) : path
}

/** The fields have to be valid, and must not repeat one of the head but for lists such as Vary. */
export function withFields(prepared: Prepared, fields: ExtraFields): Prepared {
  let ofFields = made.get(fields)
  if (ofFields === undefined) {
    ofFields = new WeakMap()
    made.set(fields, ofFields)
  }
  let extended = ofFields.get(prepared)
  if (extended === undefined) {
    extended = { ...prepared, head: extendHead(prepared.head, fields.list) }
    ofFields.set(prepared, extended)
  }
  return extended
}

function extendHead(head: ArrayBuffer, list: Readonly<HeaderList>): ArrayBuffer {
  const more = list.map(([name, value]) => `\r\n${name}: ${value}`).join('')
  const bytes = Buffer.allocUnsafeSlow(head.byteLength + more.length)
  bytes.set(new Uint8Array(head))
  bytes.write(more, head.byteLength, 'latin1')
  return bytes.buffer
}
