/** What a soak asks for: the scenario `mix`, and what it lacks: packed files, 304, rows, forms, updates, a large file. */
import { gzipSync } from 'node:zlib'
import { ask } from '../method/ask.ts'
import type { WatchedRequest } from '../method/open-load.ts'
import { numbered, page } from '../scenarios/content.ts'
import { mix } from '../scenarios/mix.ts'

const MIB = 1024 * 1024
const HTML = page(4400)
const LARGE = 'static/large.bin'
const FORM = 'name=soak&message=a+word+or+two'
const FORM_ANSWER = 'soak: a word or two'

/** Of a hundred requests; the scenario `mix` has the rest. */
const PARTS = { packed: 10, unchanged: 10, row: 5, form: 5, updates: 4, large: 1 }

/** Of the connections that are kept alive: of so many requests one is its connection's last, so that new workers get some. */
const RENEWED = 50

/** Each part of the sequence comes at least once in so many. */
const SEQUENCE = 2000

export function soakFiles(): (readonly [path: string, content: Buffer])[] {
  return [
    ...mix.files(),
    ['static/page.html', HTML],
    ['static/page.html.gz', gzipSync(HTML, { level: 9 })],
    [LARGE, numbered(MIB, 99)],
  ]
}

export interface SoakRequests {
  /** Over connections that are kept alive. */
  readonly kept: readonly WatchedRequest[]
  /** The same, each on a connection of its own. */
  readonly fresh: readonly WatchedRequest[]
  /** What an idle connection asks for now and then. */
  readonly idle: readonly WatchedRequest[]
}

/** Asks the site for each once: bodies are checked here, lengths from then on. Throws where one is wrong. */
export async function soakRequests(origin: string): Promise<SoakRequests> {
  const host = new URL(origin).host
  const known = await knownAnswers(origin)
  const make = (closes: boolean): WatchedRequest[] => {
    const parts = Object.entries(PARTS).flatMap(([name, count]) => Array<string>(count).fill(name))
    const step = 37
    return Array.from({ length: SEQUENCE }, (_, i) => {
      const part = parts[(i * step) % 100]
      const name = part ?? (mix.paths[i] as string)
      const one = known.get(name)
      if (one === undefined) throw new Error(`the mix has ${name}, which nothing is known of`)
      return wordsOf(one, host, closes || i % RENEWED === RENEWED - 1)
    })
  }
  const logo = known.get('/static/logo.svg')
  if (logo === undefined) throw new Error('the mix has lost its logo')
  return { kept: make(false), fresh: make(true), idle: [wordsOf(logo, host, false)] }
}

interface Known {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
  readonly bytes?: number
}

async function knownAnswers(origin: string): Promise<Map<string, Known>> {
  const known = new Map<string, Known>()
  const checks = new Map(mix.view?.edges?.map(({ path, check }) => [path, check]))
  for (const path of new Set(mix.paths)) {
    const answer = await ask(`${origin}${path}`, {})
    const check = checks.get(path) ?? mix.view?.check
    check?.(answer)
    known.set(path, get(path, answer.body.length))
  }
  const packed = await ask(`${origin}/static/page.html`, { 'Accept-Encoding': 'gzip' })
  if (packed.field('content-encoding') !== 'gzip') throw new Error('the packed page is not packed')
  known.set('packed', get('/static/page.html', packed.body.length, { 'Accept-Encoding': 'gzip' }))
  const plain = await ask(`${origin}/static/page.html`, {})
  if (!plain.body.equals(HTML)) throw new Error('the page has another body')
  const unchanged = { 'If-None-Match': plain.field('etag') ?? '' }
  known.set('unchanged', { ...get('/static/page.html', 0, unchanged), status: 304 })
  known.set('row', { method: 'GET', path: '/db', headers: {}, status: 200 })
  known.set('updates', { method: 'GET', path: '/updates?queries=5', headers: {}, status: 200 })
  known.set('large', get(`/${LARGE}`, MIB))
  known.set('form', {
    method: 'POST',
    path: '/form',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    status: 200,
    bytes: FORM_ANSWER.length,
  })
  return known
}

function get(path: string, bytes: number, headers: Record<string, string> = {}): Known {
  return { method: 'GET', path, headers, status: 200, bytes }
}

/** A form is never sent twice: who asked cannot know whether it was taken (RFC 9110 section 9.2.2). */
function wordsOf({ method, path, headers, status, bytes }: Known, host: string, closes: boolean) {
  const body = method === 'POST' ? FORM : ''
  const fields = Object.entries({
    Host: host,
    ...headers,
    ...(body !== '' && { 'Content-Length': String(body.length) }),
    ...(closes && { Connection: 'close' }),
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return {
    text: `${method} ${path} HTTP/1.1\r\n${fields.join('')}\r\n${body}`,
    status,
    repeats: method === 'GET',
    ...(bytes !== undefined && { bytes }),
  }
}
