/**
 * What a request is told as: OpenTelemetry's semantic conventions for HTTP and for databases (both stable). Nothing
 * that a client or the site keeps to itself is in it: no field besides User-Agent, no value of a statement, no words of
 * an error.
 */
import type { AttributeValue, Span } from '../../core/trace.ts'
import type { Redact } from '../access/redact.ts'
import type { ExchangeRecord } from '../exchange-record.ts'

export type AttributeList = [key: string, value: AttributeValue][]

/** RFC 9110 section 9 and RFC 5789; all others are one, by the conventions. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
])

/** `GET /posts/<int:id>`: never the path, which is another one for each request. */
export function nameOf({ method, route }: ExchangeRecord): string {
  const known = METHODS.has(method) ? method : 'HTTP'
  return route === '' ? known : `${known} ${route}`
}

/** The server's own fault: a client that goes is none. */
export function hasFailed({ status, isCut }: ExchangeRecord): boolean {
  return isCut || (status >= 500 && status <= 599)
}

export function attributesOf(record: ExchangeRecord, redact: Redact): AttributeList {
  const { method, route, path, search, trace } = record
  const list: AttributeList = METHODS.has(method)
    ? [['http.request.method', method]]
    : [
        ['http.request.method', '_OTHER'],
        ['http.request.method_original', method],
      ]
  if (route !== '') list.push(['http.route', route])
  list.push(['url.path', redact.path(path)])
  if (search !== '') list.push(['url.query', redact.query(search)])
  list.push(['url.scheme', record.scheme], ...hostOf(record.clientHost))
  list.push(['network.protocol.version', record.protocol.replace(/^HTTP\//, '')])
  if (record.address !== '') list.push(['client.address', record.address])
  if (record.userAgent !== '') list.push(['user_agent.original', record.userAgent])
  if (record.hasHead) list.push(['http.response.status_code', record.status])
  const failure = failureOf(record)
  if (failure !== null) list.push(['error.type', failure])
  if (trace !== null && trace.dropped > 0) list.push(['uwas.dropped_spans', trace.dropped])
  return list
}

function failureOf(record: ExchangeRecord): string | null {
  const named = record.trace?.failure ?? null
  if (record.isCut) return named ?? 'cut'
  if (!record.isWhole) return 'client_closed'
  return hasFailed(record) ? (named ?? String(record.status)) : null
}

/** `x.test:8080`, `[::1]:8080`, `x.test` */
function hostOf(host: string): AttributeList {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(host) ?? []
  const address = bracketed ?? plain ?? ''
  if (address === '') return []
  const named: AttributeList = [['server.address', address]]
  return port === undefined ? named : [...named, ['server.port', Number(port)]]
}

/** What is told of a step besides its times; null: it is not told. */
export function stepOf(span: Span): { name: string; attributes: AttributeList } | null {
  const { step, detail, more } = span
  const attributes: AttributeList = [...(more?.self?.attributes ?? [])]
  const failure = more?.failure ?? null
  if (failure !== null) attributes.push(['error.type', failure])
  switch (step) {
    case 'model':
      attributes.push(...statementOf(detail, more?.sql ?? ''))
      if (failure !== null && /^[0-9A-Z]{5}$/.test(failure)) {
        attributes.push(['db.response.status_code', failure])
      }
      return { name: detail, attributes }
    case 'transaction':
      attributes.push(['db.system.name', 'postgresql'])
      return { name: detail === '' ? 'transaction' : detail, attributes }
    case 'template':
      attributes.push(['uwas.template', detail])
      return { name: `render ${detail}`, attributes }
    case 'part':
      return { name: detail, attributes }
    default:
      return null
  }
}

/** The site has given each statement a name, which says it shorter than its text: the conventions' summary. */
function statementOf(name: string, sql: string): AttributeList {
  const list: AttributeList = [
    ['db.system.name', 'postgresql'],
    ['db.query.summary', name],
  ]
  if (sql === '') return list
  list.push(['db.query.text', sql])
  // What a WITH leads to is not at the beginning.
  const operation = /^\s*(select|insert|update|delete|merge|values|table|call)\b/i.exec(sql)?.[1]
  if (operation !== undefined) list.push(['db.operation.name', operation.toUpperCase()])
  return list
}
