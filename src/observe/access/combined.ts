/**
 * The lines that every tool reads, nginx's and Apache's `common` and `combined`. What is the same as in a line before is
 * not made again: most of a line, where a client asks on.
 */
import type { ExchangeRecord } from '../exchange-record.ts'
import { localTime } from './clock.ts'
import { escapePart, escapeText, MAX_KEPT_LENGTH } from './escape.ts'
import type { Redact } from './redact.ts'

export function createCommon(redact: Redact): (record: ExchangeRecord) => string {
  const before = createBefore()
  const answered = createAnswered()
  return (record) => {
    const start = (record.address || '-') + before(record)
    return `${start}${targetOf(record, redact)}${answered(record)}\n`
  }
}

export function createCombined(redact: Redact): (record: ExchangeRecord) => string {
  const before = createBefore()
  const answered = createAnswered()
  const agent = createAgent(redact)
  return (record) => {
    const start = (record.address || '-') + before(record)
    return start + targetOf(record, redact) + answered(record) + agent(record)
  }
}

/** The request line as it came; empty for bytes that were none. */
export function requestLine(record: ExchangeRecord, redact: Redact): string {
  if (record.method === '') return '-'
  return `${escapePart(record.method)} ${targetOf(record, redact)} ${escapePart(record.protocol)}`
}

/** Path and query. */
export function targetOf({ path, search }: ExchangeRecord, redact: Redact): string {
  const shown = escapePart(redact.path(path))
  return search === '' ? shown : `${shown}?${escapePart(redact.query(search))}`
}

/** Without spaces, which would part the line elsewhere. */
export function userOf({ user }: ExchangeRecord): string {
  return user === '' ? '-' : escapeText(user).replaceAll(' ', '\\x20')
}

/** From the address to the target: the same for a second, but for who has signed in and the method. */
function createBefore(): (record: ExchangeRecord) => string {
  const kept = { time: '', user: '', method: '', text: '' }
  return (record) => {
    const time = localTime()
    const { user, method } = record
    if (time !== kept.time || user !== kept.user || method !== kept.method) {
      const asked = method === '' ? '-' : `${escapePart(method)} `
      kept.time = time
      kept.user = user
      kept.method = method
      kept.text = ` - ${userOf(record)} [${time}] "${asked}`
    }
    return kept.text
  }
}

/** From the target to the bytes. */
function createAnswered(): (record: ExchangeRecord) => string {
  const kept = { method: '', protocol: '', status: -1, bodyBytes: 0, text: '' }
  return ({ method, protocol, status, bodyBytes }) => {
    const isKept = status === kept.status && bodyBytes === kept.bodyBytes
    if (!isKept || protocol !== kept.protocol || method !== kept.method) {
      const asked = method === '' ? '' : ` ${escapePart(protocol)}`
      const text = `${asked}" ${status} ${bodyBytes}`
      kept.method = method
      kept.protocol = protocol
      kept.status = status
      kept.bodyBytes = bodyBytes
      kept.text = text
    }
    return kept.text
  }
}

/** The end of the line, kept for the last agent of each length: the same few come again and again, by turns. */
function createAgent(redact: Redact): (record: ExchangeRecord) => string {
  const make = (referer: string, userAgent: string): string =>
    ` "${escapeText(redact.url(referer))}" "${escapeText(userAgent)}"\n`
  const kept = Array.from({ length: MAX_KEPT_LENGTH + 1 }, () => ({
    userAgent: '',
    referer: '',
    text: make('', ''),
  }))
  return ({ referer, userAgent }) => {
    const last = kept[userAgent.length]
    if (last === undefined) return make(referer, userAgent)
    if (userAgent !== last.userAgent || referer !== last.referer) {
      last.userAgent = userAgent
      last.referer = referer
      last.text = make(referer, userAgent)
    }
    return last.text
  }
}
