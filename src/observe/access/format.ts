/**
 * A format of the access log, compiled: a record comes in, its line leaves. The names are nginx's; what they give is
 * escaped for a quoted part of a line.
 */
import { createError } from '../../core/errors.ts'
import { hintNearest } from '../../core/nearest.ts'
import { readTraceFields } from '../../http/trace-fields.ts'
import type { ExchangeRecord } from '../exchange-record.ts'
import { isoTime, localTime } from './clock.ts'
import { escapeJson, escapePart, escapeText } from './escape.ts'
import type { Redact } from './redact.ts'

/** What a line is made from besides its record. */
export interface LineContext {
  readonly redact: Redact
  /** Number of the worker, from 1; 0 where there are none. */
  readonly worker: number
  /** Whether `json` has the trace of each request. Default false. */
  readonly isTraced?: boolean
}

export interface LineFormat {
  /** With its line feed; printable ASCII. */
  readonly line: (record: ExchangeRecord) => string
  readonly needsTime: boolean
  /** Fields of requests that it names, in lower case. */
  readonly fields: readonly string[]
}

const TRACE_FIELDS: readonly string[] = ['traceparent']

type Variable = (record: ExchangeRecord, context: LineContext) => string

const VARIABLES: Readonly<Record<string, Variable>> = {
  remote_addr: ({ address }) => escapeText(address),
  remote_user: userOf,
  time_local: () => localTime(),
  time_iso8601: () => isoTime(),
  msec: () => (Date.now() / 1000).toFixed(3),
  request: requestLine,
  request_method: ({ method }) => escapeText(method),
  request_uri: (record, { redact }) => targetOf(record, redact) || '-',
  uri: ({ path }, { redact }) => escapeText(redact.path(path)),
  args: ({ search }, { redact }) => escapeText(redact.query(search)),
  scheme: ({ secure }) => (secure ? 'https' : 'http'),
  server_protocol: ({ protocol }) => escapeText(protocol),
  host: ({ host }) => escapeText(host),
  status: ({ status }) => String(status),
  body_bytes_sent: ({ bodyBytes }) => String(bodyBytes),
  request_time: (record) => (record.durationMs / 1000).toFixed(3),
  request_completion: ({ isWhole }) => (isWhole ? 'OK' : '-'),
  request_id: ({ id }) => id,
  trace_id: (record) => escapeText(traceIdOf(record)),
  http_referer: ({ referer }, { redact }) => escapeText(redact.url(referer)),
  http_user_agent: ({ userAgent }) => escapeText(userAgent),
  route: ({ route }) => escapeText(route),
  worker: (_, { worker }) => String(worker),
  pid: () => String(process.pid),
}

let middle = { time: '', user: '', text: '' }

/** Throws UWAS_ERR_OBSERVE_LOG_FORMAT for a variable that there is not, or that would tell a secret. */
export function compileFormat(format: string, context: LineContext): LineFormat {
  const { redact } = context
  switch (format) {
    case 'combined':
      return untimed(
        (record) =>
          `${common(record, redact)} "${refererOf(record, redact)}" "${escapeText(record.userAgent)}"\n`,
      )
    case 'common':
      return untimed((record) => `${common(record, redact)}\n`)
    case 'json':
      return {
        line: (record) => jsonLine(record, context),
        needsTime: true,
        fields: context.isTraced ? TRACE_FIELDS : [],
      }
    default:
      return compileOwn(format, context)
  }
}

/** The trace of which it is told, else that of the client, where it has named one. */
function traceIdOf({ trace, fields }: ExchangeRecord): string {
  if (trace !== null && trace.context !== null) return trace.context.traceId
  return readTraceFields(fields?.['traceparent'], undefined)?.traceId ?? ''
}

function untimed(line: LineFormat['line']): LineFormat {
  return { line, needsTime: false, fields: [] }
}

/** In one expression each, since these are what most sites use. */
function common(record: ExchangeRecord, redact: Redact): string {
  return `${record.address || '-'}${middleOf(userOf(record))}${requestLine(record, { redact })}" ${record.status} ${record.bodyBytes}`
}

/** From the address to the request: the same for a second, but for who has signed in. */
function middleOf(user: string): string {
  const time = localTime()
  if (time !== middle.time || user !== middle.user) {
    middle = { time, user, text: ` - ${user} [${time}] "` }
  }
  return middle.text
}

function refererOf({ referer }: ExchangeRecord, redact: Redact): string {
  return referer === '' ? '-' : escapeText(redact.url(referer))
}

/** Without spaces, which would part the line elsewhere. */
function userOf({ user }: ExchangeRecord): string {
  return user === '' ? '-' : escapeText(user).replaceAll(' ', '\\x20')
}

/** The request line as it came; empty for bytes that were none. */
function requestLine(record: ExchangeRecord, { redact }: Pick<LineContext, 'redact'>): string {
  if (record.method === '') return '-'
  return `${escapePart(record.method)} ${targetOf(record, redact)} ${escapePart(record.protocol)}`
}

function targetOf({ path, search }: ExchangeRecord, redact: Redact): string {
  const shown = escapePart(redact.path(path))
  return search === '' ? shown : `${shown}?${escapePart(redact.query(search))}`
}

/** Its keys are fixed: what is not known is an empty string. */
function jsonLine(record: ExchangeRecord, { redact, worker, isTraced }: LineContext): string {
  const { method, path, search, protocol, host, address, status, bodyBytes } = record
  const who = `"remote_addr":${escapeJson(address)},"remote_user":${escapeJson(record.user)},"request_id":${escapeJson(record.id)}`
  const trace = isTraced ? `,"trace_id":${escapeJson(traceIdOf(record))}` : ''
  const scheme = record.secure ? 'https' : 'http'
  const asked = `"method":${escapeJson(method)},"scheme":"${scheme}","host":${escapeJson(host)},"path":${escapeJson(redact.path(path))},"query":${escapeJson(redact.query(search))},"protocol":${escapeJson(protocol)}`
  const answered = `"status":${status},"bytes":${bodyBytes},"duration_ms":${Math.round(record.durationMs * 1000) / 1000},"complete":${record.isWhole}`
  const rest = `"route":${escapeJson(record.route)},"referer":${escapeJson(redact.url(record.referer))},"user_agent":${escapeJson(record.userAgent)},"worker":${worker}`
  return `{"time":"${isoTime()}",${who}${trace},${asked},${answered},${rest}}\n`
}

function compileOwn(format: string, context: LineContext): LineFormat {
  const fields: string[] = []
  const names: string[] = []
  const parts = split(format).map((part): string | Variable => {
    if (typeof part === 'string') {
      if (/[^\x20-\x7e]/.test(part)) throw invalid(`"${format}"`, 'is more than printable ASCII')
      return part
    }
    names.push(part.name)
    return variableOf(part.name, fields, context.redact)
  })
  if (names.length === 0) {
    const hint = hintNearest(format, ['combined', 'common', 'json'])
    throw invalid(`"${format}"`, `names no variable like $status${hint}`)
  }
  const line = (record: ExchangeRecord): string => {
    let text = ''
    for (const part of parts) text += typeof part === 'string' ? part : part(record, context)
    return `${text}\n`
  }
  return { line, fields, needsTime: names.includes('request_time') }
}

/** Literal text, and `$name` or `${name}`. */
function split(format: string): (string | { readonly name: string })[] {
  return format.split(/(\$\{\w+\}|\$\w+)/).flatMap((part) => {
    if (part === '') return []
    const name = /^\$\{?(\w+)\}?$/.exec(part)?.[1]
    return [name === undefined ? part : { name }]
  })
}

function variableOf(name: string, fields: string[], redact: Redact): Variable {
  const known = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined
  if (name === 'trace_id') fields.push(...TRACE_FIELDS)
  if (known !== undefined) return known
  if (!name.startsWith('http_') || name === 'http_') {
    throw invalid(`$${name}`, `is no variable${hintNearest(name, Object.keys(VARIABLES))}`)
  }
  const field = name.slice('http_'.length).toLowerCase().replaceAll('_', '-')
  if (redact.hidesField(field)) {
    throw invalid(`$${name}`, 'would write a secret into the log; leave it out')
  }
  if (field === 'host') return VARIABLES['host'] as Variable
  // However it is spelled, its secrets are left out.
  if (field === 'referer') return VARIABLES['http_referer'] as Variable
  fields.push(field)
  return (record) => escapeText(redact.url(record.fields?.[field] ?? ''))
}

function invalid(what: string, problem: string): Error {
  return createError('UWAS_ERR_OBSERVE_LOG_FORMAT', { what, problem })
}
