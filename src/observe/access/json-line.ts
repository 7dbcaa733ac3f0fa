/**
 * A line of the access log as a JSON object. Its keys are fixed: what is not known is an empty string. What is the same as
 * in a line before is not made again, as in `combined.ts`.
 */
import { readTraceFields } from '../../http/trace-fields.ts'
import type { ExchangeRecord } from '../exchange-record.ts'
import { isoTime } from './clock.ts'
import { escapeJson, MAX_KEPT_LENGTH } from './escape.ts'
import type { LineContext } from './format.ts'
import type { Redact } from './redact.ts'

/** What stands behind the whole milliseconds: ``, `.001`, …, `.01`, …, `.999`. */
const THOUSANDTHS = Array.from({ length: 1000 }, (_, i) => String(i / 1000).slice(1))

export function createJsonLine(context: LineContext): (record: ExchangeRecord) => string {
  const { redact, isTraced } = context
  const who = createWho()
  const asked = createAsked()
  const answered = createAnswered()
  const rest = createRest(context)
  return (record) => {
    const trace = isTraced ? `","trace_id":"${traceIdOf(record)}` : ''
    const head = who(record) + record.id + trace + asked(record)
    const target = targetOf(record, redact)
    return head + target + answered(record) + millisecondsOf(record) + rest(record)
  }
}

/** The trace of which it is told, else that of the client, where it has named one: 32 hexadecimal digits, or nothing. */
export function traceIdOf({ trace, fields }: ExchangeRecord): string {
  if (trace !== null && trace.context !== null) return trace.context.traceId
  return readTraceFields(fields?.['traceparent'], undefined)?.traceId ?? ''
}

function createWho(): (record: ExchangeRecord) => string {
  const kept = { time: '', address: '', user: '', text: '' }
  return ({ address, user }) => {
    const time = isoTime()
    if (time !== kept.time || address !== kept.address || user !== kept.user) {
      const text = `{"time":"${time}","remote_addr":${escapeJson(address)},"remote_user":${escapeJson(user)},"request_id":"`
      kept.time = time
      kept.address = address
      kept.user = user
      kept.text = text
    }
    return kept.text
  }
}

function createAsked(): (record: ExchangeRecord) => string {
  const kept = { method: '', secure: false, host: '', text: '' }
  return ({ method, secure, host }) => {
    if (
      kept.text === '' ||
      method !== kept.method ||
      secure !== kept.secure ||
      host !== kept.host
    ) {
      const scheme = secure ? 'https' : 'http'
      const text = `","method":${escapeJson(method)},"scheme":"${scheme}","host":${escapeJson(host)},"path":`
      kept.method = method
      kept.secure = secure
      kept.host = host
      kept.text = text
    }
    return kept.text
  }
}

function targetOf({ path, search }: ExchangeRecord, redact: Redact): string {
  const shown = escapeJson(redact.path(path))
  return search === ''
    ? `${shown},"query":""`
    : `${shown},"query":${escapeJson(redact.query(search))}`
}

function createAnswered(): (record: ExchangeRecord) => string {
  const kept = { protocol: '', status: -1, bodyBytes: 0, text: '' }
  return ({ protocol, status, bodyBytes }) => {
    if (status !== kept.status || bodyBytes !== kept.bodyBytes || protocol !== kept.protocol) {
      const text = `,"protocol":${escapeJson(protocol)},"status":${status},"bytes":${bodyBytes},"duration_ms":`
      kept.protocol = protocol
      kept.status = status
      kept.bodyBytes = bodyBytes
      kept.text = text
    }
    return kept.text
  }
}

/** As JSON writes the number rounded to thousandths, in a tenth of the time. */
function millisecondsOf({ durationMs }: ExchangeRecord): string {
  const microseconds = Math.round(durationMs * 1000)
  const whole = Math.floor(microseconds / 1000)
  return whole + (THOUSANDTHS[microseconds - whole * 1000] as string)
}

/** The end of the line, kept for the last agent of each length. */
function createRest({ redact, worker }: LineContext): (record: ExchangeRecord) => string {
  const make = ({ isWhole, route, referer, userAgent }: ExchangeRecord): string =>
    `,"complete":${isWhole},"route":${escapeJson(route)},"referer":${escapeJson(redact.url(referer))},"user_agent":${escapeJson(userAgent)},"worker":${worker}}\n`
  const kept = Array.from({ length: MAX_KEPT_LENGTH + 1 }, () => ({
    isWhole: true,
    route: '',
    referer: '',
    userAgent: '',
    text: '',
  }))
  return (record) => {
    const { isWhole, route, referer, userAgent } = record
    const last = kept[userAgent.length]
    if (last === undefined) return make(record)
    const isSame = userAgent === last.userAgent && referer === last.referer
    if (last.text === '' || !isSame || route !== last.route || isWhole !== last.isWhole) {
      last.isWhole = isWhole
      last.route = route
      last.referer = referer
      last.userAgent = userAgent
      last.text = make(record)
    }
    return last.text
  }
}
