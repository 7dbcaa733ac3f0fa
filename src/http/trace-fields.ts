/**
 * The fields traceparent and tracestate of a request (W3C Trace Context, levels 1 and 2). Strict: what is not by the
 * grammar is as if it were not there, and the trace begins anew.
 */
import { type RemoteContext, TraceContext } from '../core/trace-context.ts'

const VERSION_0 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
/** Of a version that is not known, the parts that version 00 has (section 4.3). */
const LATER = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const ONLY_ZEROS = /^0+$/

/** Level 2, section 3.3.1.3.1, which has the keys of level 1 among its own. */
const KEY = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/
const MAX_MEMBERS = 32
/** What everybody has to pass on (section 3.3.1.5). */
const MAX_LENGTH = 512
/** Longer members go first where it is too long. */
const LONG_MEMBER = 128

/**
 * Several fields of one name come joined by commas: then a traceparent is none, and a tracestate is one list. Null
 * where no trace can be continued.
 */
export function readTraceFields(
  traceparent: string | undefined,
  tracestate: string | undefined,
): RemoteContext | null {
  if (traceparent === undefined || traceparent.length < 55) return null
  const [, traceId = '', spanId = '', flags = ''] =
    (traceparent.startsWith('00') ? VERSION_0 : LATER).exec(traceparent) ?? []
  if (traceId === '' || ONLY_ZEROS.test(traceId) || ONLY_ZEROS.test(spanId)) return null
  return { traceId, spanId, flags: Number.parseInt(flags, 16), state: readState(tracestate ?? '') }
}

/** For who records nothing: the fields as they came, where they are by the grammar. */
export function passedOn(
  traceparent: string | undefined,
  tracestate: string | undefined,
): Record<string, string> | null {
  const parent = readTraceFields(traceparent, tracestate)
  if (parent === null) return null
  return new TraceContext(parent, parent.traceId, (parent.flags & 1) === 1).headers(parent.spanId)
}

/** The list as it is passed on; empty where it is not by the grammar, which says nothing of the traceparent. */
function readState(text: string): string {
  if (text === '') return ''
  const members: string[] = []
  const keys = new Set<string>()
  for (const part of text.split(',')) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, '')
    if (member === '') continue
    const equals = member.indexOf('=')
    const key = member.slice(0, Math.max(0, equals))
    if (!KEY.test(key) || !VALUE.test(member.slice(equals + 1)) || keys.has(key)) return ''
    keys.add(key)
    members.push(member)
  }
  return members.length > MAX_MEMBERS ? '' : shortened(members)
}

function shortened(members: readonly string[]): string {
  let left = members
  if (left.join(',').length > MAX_LENGTH) left = left.filter(({ length }) => length <= LONG_MEMBER)
  while (left.join(',').length > MAX_LENGTH) left = left.slice(0, -1)
  return left.join(',')
}
