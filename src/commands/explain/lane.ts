/**
 * Which lane a request takes, and whether that refuses it before any rule of the site: by the gate's own judgement
 * of its bytes, and by the fences of both lanes. Called by `decide.ts`.
 */
import type { Judge } from '../../native/gate.ts'
import { refuseFields } from '../../server/fences.ts'
import { FieldScan } from '../../server/native-scan.ts'
import { judgeHead } from '../../server/strict-target.ts'
import type { Asked, LaneFacts } from './explanation.ts'

export interface LaneRefusal {
  readonly status: number
  readonly why: string
}

/** Fields of one request that the strict lane reads. */
const MAX_FIELDS = 256
/** As Node reads it, and of HTTP/1.1 alone. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i
/** A User-Agent that is odd by its name alone. */
const OF_AGENT = /^user-agent:[\t -~]*$/i
const CRLF = '\r\n'

/** The bytes of a request's head. */
export function headOf({ method, rawPath, search, version, list }: Asked): Buffer {
  const target = search === '' ? rawPath : `${rawPath}?${search}`
  const lines = list.map(([name, value]) => `${name}: ${value}`)
  const text = [`${method} ${target} HTTP/${version}`, ...lines, '', ''].join(CRLF)
  return Buffer.from(text)
}

/** `judge` is null where there is no gate. */
export function explainLane(asked: Asked, maxHeaderBytes: number, judge: Judge | null): LaneFacts {
  if (judge === null) {
    return { name: 'native', because: 'without the addon every connection is' }
  }
  const head = headOf(asked)
  const { lane, line } = judge(head, maxHeaderBytes)
  if (lane !== 'strict') return { name: 'native', because: 'its head is plainly ordinary' }
  if (head.length > maxHeaderBytes) {
    const because = `its head has ${head.length} bytes, and limits.maxHeaderBytes is ${maxHeaderBytes}`
    return { name: 'strict', because }
  }
  const text = head.toString('latin1', line).split(CRLF, 1)[0] ?? ''
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
  if (text === '') return { name: 'strict', because: 'it has not one Host' }
  const because = OF_AGENT.test(text)
    ? `"${shown}" names a client that does not wait for replies`
    : `"${shown}" is not plainly ordinary`
  return { name: 'strict', because }
}

/** What the parser and the fences of the lane refuse; undefined where it goes on to the site. */
export function refuseFraming(
  asked: Asked,
  { name }: LaneFacts,
  maxHeaderBytes: number,
): LaneRefusal | undefined {
  const scan = new FieldScan()
  const fields = asked.list.map(([field, value]) => [field.toLowerCase(), value] as const)
  scan.read({ forEach: (visit) => fields.forEach(([field, value]) => void visit(field, value)) })
  if (name === 'strict') {
    const refusal = refuseStrict(asked, fields, scan, maxHeaderBytes)
    if (refusal !== undefined) return refusal
    scan.hasTransferEncoding = false
    // The address that a client of HTTP/1.0 has called stands in.
    if (asked.version === '1.0' && scan.host === '') {
      scan.hosts++
      scan.host = '127.0.0.1'
    }
  }
  const status = refuseFields(scan, '')
  if (status === 0) return undefined
  const why = status === 411 ? 'it has Transfer-Encoding' : 'its Host or Content-Length is not one'
  return { status, why }
}

function refuseStrict(
  asked: Asked,
  fields: readonly (readonly [name: string, value: string])[],
  scan: FieldScan,
  maxHeaderBytes: number,
): LaneRefusal | undefined {
  if (headOf(asked).length > maxHeaderBytes) {
    return { status: 431, why: `its head is longer than limits.maxHeaderBytes, ${maxHeaderBytes}` }
  }
  const isCoded = fields.some(([field, value]) => field === 'transfer-encoding' && value !== '')
  if (scan.contentLengths > 1 || (isCoded && scan.contentLengths > 0)) {
    return { status: 400, why: 'its length is told twice' }
  }
  if (fields.length > MAX_FIELDS)
    return { status: 431, why: `it has more than ${MAX_FIELDS} fields` }
  const expected = asked.fields.get('expect')
  const isMet = asked.version === '1.0' || (expected !== undefined && CONTINUE.test(expected))
  if (expected !== undefined && !isMet) {
    return { status: 417, why: `nobody can meet "Expect: ${expected}"` }
  }
  const { version, method, rawPath: target } = asked
  const verdict = judgeHead({ version, method, target, fields })
  if (typeof verdict !== 'number') return undefined
  return { status: verdict, why: 'its Transfer-Encoding is not just "chunked"' }
}
