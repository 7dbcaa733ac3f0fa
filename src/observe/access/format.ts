/**
 * A format of the access log, compiled: a record comes in, its line leaves. The names are nginx's; what they give is
 * escaped for a quoted part of a line.
 */
import { createError } from '../../core/errors.ts'
import { hintNearest } from '../../core/nearest.ts'
import type { ExchangeRecord } from '../exchange-record.ts'
import { isoTime, localTime } from './clock.ts'
import { createCombined, createCommon, requestLine, targetOf, userOf } from './combined.ts'
import { escapeText } from './escape.ts'
import { createJsonLine, traceIdOf } from './json-line.ts'
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
  request: (record, { redact }) => requestLine(record, redact),
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

/** Throws UWAS_ERR_OBSERVE_LOG_FORMAT for a variable that there is not, or that would tell a secret. */
export function compileFormat(format: string, context: LineContext): LineFormat {
  const { redact } = context
  switch (format) {
    case 'combined':
      return untimed(createCombined(redact))
    case 'common':
      return untimed(createCommon(redact))
    case 'json':
      return {
        line: createJsonLine(context),
        needsTime: true,
        fields: context.isTraced ? TRACE_FIELDS : [],
      }
    default:
      return compileOwn(format, context)
  }
}

function untimed(line: LineFormat['line']): LineFormat {
  return { line, needsTime: false, fields: [] }
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
