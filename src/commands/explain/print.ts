/** An explanation as text for a terminal. Called by `../explain.ts`. */
import { reasonOf } from '../../http/status.ts'
import type { SiteShed } from '../../was/limits/options.ts'
import { formatRows } from '../table.ts'
import { tellCache } from './cache.ts'
import type { Explanation, FileFacts, RouteFacts } from './explanation.ts'

type Row = [label: string, value: string]

export function printExplanation(it: Explanation): string {
  const status = it.status === null ? '' : `${it.status} ${reasonOf(it.status)}: `
  const parts: [title: string, rows: Row[]][] = [
    ['The way', it.steps.map(({ stage, finding }): Row => [stage, finding])],
    ['The file', it.file === null ? [] : rowsOfFile(it.file)],
    ['The route', it.route === null ? [] : rowsOfRoute(it.route)],
    ['The page cache', it.cache === null ? [] : tellCache(it.cache).map((line): Row => [line, ''])],
    ['Before it', it.guards.map((line): Row => [line, ''])],
    ['Around it', rowsAround(it)],
    ['Fields', it.headers.map(([name, value]): Row => [name, value])],
  ]
  const sections = parts
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `\n${title}\n${formatRows(rows)}`)
  const hints = it.hints.map((hint) => `\n${hint}`)
  return [`${it.method} ${it.url}`, `→ ${status}${it.summary}`, ...hints, ...sections].join('\n')
}

function rowsOfFile(file: FileFacts): Row[] {
  const { prefix, dir, path, bytes, from, variants } = file
  const rows: Row[] = [['mount', `${prefix} → ${dir}`]]
  if (file.etag === '') return rows
  return [
    ...rows,
    ['file', `${path}, ${bytes} bytes, from ${from}`],
    ['type', file.type],
    ['ETag', file.etag],
    ['Cache-Control', file.cacheControl],
    ...variants.map((one): Row => [one.coding, `${one.bytes} bytes, ${one.etag}`]),
  ]
}

function rowsOfRoute({ pattern, name, place, methods, view, params }: RouteFacts): Row[] {
  return [
    ['pattern', pattern],
    ['place', place],
    ['name', name === '' ? '(none)' : name],
    ['methods', methods.join(' ')],
    ['view', view],
    ...Object.entries(params).map(([key, value]): Row => [key, `${show(value)} (${typeof value})`]),
  ]
}

const CSRF_TEXTS = {
  token: 'forms need the token of a page of this site, or X-CSRF-Token',
  fetchMetadata: 'forms are taken where the browser says that they come from this site',
  off: 'forms are taken from anywhere (csrf: false)',
}

function rowsAround(it: Explanation): Row[] {
  const { middleware, limits, cors, compression, by } = it
  if (by === 'refusal') return []
  const sending: Row = [
    'sending',
    `${limits.minSendBytesPerSecond} bytes a second at least, ${limits.maxResponseSeconds} s at most`,
  ]
  const shared: Row = ['CORS', cors === null ? 'none' : `${cors.prefix}: ${cors.origins}`]
  const squeezed: Row = ['compression', compression]
  if (by === 'file')
    return [['middleware', 'none: files leave before it'], shared, squeezed, sending]
  const time = limits.maxViewMs === 0 ? 'no limit' : `${limits.maxViewMs} ms`
  return [
    ['middleware', middleware.length === 0 ? 'none' : middleware.join(' → ')],
    ['body', `${limits.maxBodyBytes} bytes at most`],
    ['head', `${limits.maxHeaderBytes} bytes at most, the URL ${limits.maxUrlBytes}`],
    ['time', `${time} until the view returns`],
    ...(limits.shed === null ? [] : [['overload', shedText(limits.shed)] satisfies Row]),
    ...(it.csrf === 'none' ? [] : [['CSRF', CSRF_TEXTS[it.csrf]] satisfies Row]),
    shared,
    squeezed,
    sending,
  ]
}

function shedText({ maxEventLoopDelayMs, maxPoolWaitMs, retryAfterSeconds }: SiteShed): string {
  const limits = [
    ...(maxEventLoopDelayMs > 0 ? [`the event loop is ${maxEventLoopDelayMs} ms late`] : []),
    ...(maxPoolWaitMs > 0 ? [`the database is ${maxPoolWaitMs} ms behind`] : []),
  ]
  return `503 while ${limits.join(' or ')}, to try again after ${retryAfterSeconds} s`
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
