/**
 * Bodies and cookies of any bytes, through the whole server on both lanes: each request is answered, and never as a
 * fault of the server. Uploads are cut off anywhere: nothing of them is left.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { json, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { setSignedCookie, signedCookie } from '../../src/http/signed-cookie.ts'
import { statement } from '../../src/model/statement.ts'
import * as pg from '../../src/model/types.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import { csrfToken } from '../../src/was/csrf/csrf.ts'
import { flash, messages } from '../../src/was/flash.ts'
import { form } from '../../src/was/forms/form.ts'
import { upload } from '../../src/was/forms/upload-schema.ts'
import { session } from '../../src/was/session/open.ts'
import { multipart } from '../../src/was/upload/multipart.ts'
import { parts } from '../../src/was/upload/parts.ts'
import { validJson } from '../../src/was/valid.ts'
import { testDatabaseUrl } from '../support/postgres.ts'
import { dial, raw } from '../support/raw.ts'
import { siteOf } from '../support/serving.ts'
import { SECRET } from '../support/site.ts'

t.setTimeout(300_000)

/** What a request of the slowest machine may take; one that hangs takes for ever. */
const HANG_MS = 60_000
const LANES = ['native', 'strict'] as const
type Lane = (typeof LANES)[number]

const kept = statement('hostile bodies', {
  params: { words: pg.text, all: pg.array(pg.text), document: pg.json() },
  row: { words: pg.text },
  sql: "select $1::text as words where $2::text[] <> '{}' and $3::jsonb is not null",
})
const keep = (req: Request, words: string, document: unknown = null) =>
  kept.one(req, { words, all: [words], document })

const note = form(
  z.object({
    title: z.string().max(20),
    stars: z.number().optional(),
    tags: z.array(z.enum(['a', 'b'])),
    photo: upload({ types: ['image/*'], maxBytes: 1000 }).optional(),
  }),
)
const shape = z.object({ title: z.string(), tags: z.array(z.string()).optional() })

async function fromForm(req: Request) {
  const fields = await req.form()
  for (const [, value] of fields) await keep(req, value)
  return json([...fields])
}

async function fromParts(req: Request) {
  const seen: unknown[] = []
  for await (const part of parts(req, { maxFileBytes: 5000 })) {
    if (part.kind === 'field') await keep(req, part.value)
    let bytes = 0
    if (part.kind === 'file') for await (const chunk of part.stream) bytes += chunk.length
    seen.push(part.name, bytes)
  }
  return json(seen)
}

async function fromCookies(req: Request) {
  const own = await session(req)
  own.set('visits' as never, 1 as never)
  for (const { text } of messages(req)) await keep(req, text)
  flash(req, 'seen', (req.cookie('title') ?? 'nothing').slice(0, 100))
  await keep(req, req.cookie('title') ?? '', req.headers)
  const reply = text(
    `${csrfToken(req)} ${signedCookie(req, 'signed')} ${req.cookieValues('title')}`,
  )
  setSignedCookie(req, reply, 'signed', 'value')
  return reply
}

const BODIES: Readonly<Record<string, (req: Request) => unknown>> = {
  '/text': async (req) => json(await keep(req, await req.text())),
  '/json': async (req) => json((await keep(req, 'x', await req.json())).words),
  '/valid': async (req) => json(await validJson(req, shape)),
  '/form': fromForm,
  '/fields': async (req) => {
    const sent = await note.read(req)
    return json(sent.isValid ? sent.values.title : await keep(req, JSON.stringify(sent.problems)))
  },
  '/multipart': async (req) => {
    const { fields, files } = await multipart(req, { maxFiles: 3, maxFieldBytes: 1000 })
    return json([...fields, ...files.map((file) => file.fileName)])
  },
  '/parts': fromParts,
  '/stream': async (req) => {
    let bytes = 0
    for await (const chunk of req.stream()) bytes += chunk.length
    return text(String(bytes))
  },
  '/unread': () => text('done'),
}

async function start(t: Test) {
  const site = await siteOf(t, {
    urls: urlconf(
      path('/cookies', { get: fromCookies, post: async (req) => json([...(await req.form())]) }),
      ...Object.entries(BODIES).map(([url, view]) =>
        path(url as '/', { post: view as never }, { csrf: false }),
      ),
    ),
    secrets: [SECRET],
    sessions: { store: 'cookie' },
    database: await testDatabaseUrl(),
    limits: { maxBodyBytes: 100_000, maxViewSeconds: 50 },
  })
  const { port } = site.server
  const dir = join(site.app.config.stateDir, 'uploads')
  const uploads = () => (existsSync(dir) ? readdirSync(dir, { recursive: true }) : [])
  /** The answer's status, which is no fault of the server. */
  async function ask(lane: Lane, target: string, fields: string[], body: Buffer | null) {
    const { responses } = await raw(port, requestOf(lane, target, fields, body), {
      timeoutMs: HANG_MS,
    })
    const [answer] = responses
    if (answer === undefined || answer.status >= 500) {
      const why = site.log.slice(-3).join('\n')
      throw new Error(`${lane} ${target}: ${answer?.status ?? 'no answer'}\n${why}`)
    }
    return answer
  }
  return { ...site, port, ask, uploads }
}

/** What the gate gives to the lane: chunks are the strict one's. */
function requestOf(lane: Lane, target: string, fields: string[], body: Buffer | null): Buffer {
  const method = body === null ? 'GET' : 'POST'
  const isChunked = lane === 'strict' && body !== null
  const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body?.length ?? 0}`
  const version = lane === 'strict' && body === null ? '1.0' : '1.1'
  const head = [`${method} ${target} HTTP/${version}`, 'Host: x', length, ...fields, '', '']
  const start = Buffer.from(head.join('\r\n'), 'latin1')
  if (!isChunked) return Buffer.concat([start, body ?? Buffer.alloc(0)])
  const half = Math.ceil(body.length / 2)
  const chunks = [body.subarray(0, half), body.subarray(half)].filter(({ length }) => length > 0)
  const framed = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([start, ...framed, Buffer.from('0\r\n\r\n')])
}

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    '\0',
    '\ud800',
    '한글',
    '__proto__',
    'constructor',
    '"',
    '%',
    '../x',
    'x'.repeat(2000),
  ),
)
const names = fc.oneof(fc.constantFrom('title', 'tags', 'stars', 'photo', '__proto__', ''), oddText)

const jsonBody = fc.oneof(
  fc.json({ maxDepth: 5 }),
  fc
    .record(
      { title: oddText, tags: fc.array(oddText), constructor: fc.object() },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
  fc.integer({ min: 0, max: 20_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.constantFrom('{"title":"a\\u0000b"}', '{"title":"\\ud800"}', '{"__proto__":{"x":1}}', '1e999'),
)
const escaped = fc.oneof(
  oddText.map((value) => encodeURIComponent(value.toWellFormed())),
  fc.constantFrom('%00', '%ff', '%e0%80', '%', '%zz', '+', '\0', '&', '=', ';'),
)
const formBody = fc
  .array(fc.tuple(names, escaped), { maxLength: 30 })
  .map((pairs) =>
    pairs.map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${value}`).join('&'),
  )
const partHead = fc.oneof(
  names.map((name) => `Content-Disposition: form-data; name="${name}"`),
  fc
    .tuple(names, oddText, fc.constantFrom('image/png', 'text/plain; charset=x', ''))
    .map(
      ([name, file, type]) =>
        `Content-Disposition: form-data; name="${name}"; filename="${file}"\r\nContent-Type: ${type}`,
    ),
  oddText,
)
const multipartBody = fc
  .array(fc.tuple(partHead, oddText, fc.integer({ min: 0, max: 3000 })), { maxLength: 8 })
  .map(
    (all) =>
      `${all.map(([head, value, more]) => `--XX\r\n${head}\r\n\r\n${value}${'y'.repeat(more)}\r\n`).join('')}--XX--\r\n`,
  )

const bodies = {
  json: jsonBody,
  form: formBody,
  multipart: multipartBody,
  oddText,
  long: fc.constant('x'.repeat(200_000)),
}
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.integer({ min: 0, max: 50 }),
  put: fc.uint8Array({ maxLength: 10 }),
})

/** Well-formed for the type, or not; or with some of it cut out, repeated, or other bytes in its place. */
function bodyOf(type: string | undefined): fc.Arbitrary<Buffer> {
  const kind = (['json', 'multipart', 'form'] as const).find((each) => type?.includes(each))
  const source = fc.oneof(
    { arbitrary: kind === undefined ? oddText : bodies[kind], weight: 6 },
    ...Object.values(bodies),
  )
  return fc.tuple(source, fc.option(change, { freq: 2 })).map(([whole, change]) => {
    const bytes = Buffer.from(whole)
    if (change === null) return bytes
    const at = Math.floor(change.at * bytes.length)
    return Buffer.concat([bytes.subarray(0, at), change.put, bytes.subarray(at + change.drop)])
  })
}

/** What the views want. */
const TYPES: Readonly<Record<string, string>> = {
  '/json': 'application/json',
  '/valid': 'application/json',
  '/form': 'application/x-www-form-urlencoded',
  '/fields': 'application/x-www-form-urlencoded',
  '/multipart': 'multipart/form-data; boundary=XX',
  '/parts': 'multipart/form-data; boundary=XX',
}
const contentType = fc.constantFrom(
  'application/json',
  'application/problem+json; charset=UTF-8',
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=utf-16',
  'multipart/form-data; boundary=XX',
  'multipart/form-data; boundary="X X"',
  'multipart/form-data; boundary=',
  'multipart/form-data',
  'text/plain; charset="',
  ';;;',
)

t.test('a body of any bytes gets an answer that is no fault of the server', async (t) => {
  const { ask, uploads } = await start(t)
  const statuses = new Map<string, number>()
  const sent = fc
    .constantFrom(...Object.keys(BODIES))
    .chain((target) => fc.tuple(fc.constant(target), bodyOf(TYPES[target])))
  const lane = fc.constantFrom(...LANES)
  const own = fc.option(contentType, { freq: 2 })
  await fc.assert(
    fc.asyncProperty(lane, sent, own, async (lane, [target, body], own) => {
      const type = own ?? TYPES[target] ?? 'text/plain'
      const { status } = await ask(lane, target, [`Content-Type: ${type}`], body)
      const key = `${lane} ${status}`
      statuses.set(key, (statuses.get(key) ?? 0) + 1)
    }),
    { numRuns: 600 },
  )
  t.comment([...statuses].sort().join('  '))
  for (const lane of LANES) {
    for (const status of [200, 400, 413, 415]) {
      t.ok((statuses.get(`${lane} ${status}`) ?? 0) > 0, `${lane} has answered with ${status}`)
    }
  }
  await eventually(t, () => uploads().length === 0, 'no file is left')
})

t.test('cookies of any bytes get an answer that is no fault of the server', async (t) => {
  const { ask } = await start(t)
  const first = await ask('native', '/cookies', [], null)
  const own = (first.headers['set-cookie'] ?? '').split(/, (?=[^;,]+=)/)
  const real = own.map((field) => field.split(';', 1)[0] ?? '')
  t.match(real.join(), /signed=.*session=.*flash-/)
  const byte = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f)
  const bytes = fc.array(byte, { maxLength: 40 }).map((codes) => String.fromCharCode(...codes))
  const changed = fc
    .tuple(fc.constantFrom(...real), fc.nat(), byte, fc.boolean())
    .map(([cookie, nat, code, isCut]) => {
      const at = nat % cookie.length
      return cookie.slice(0, at) + String.fromCharCode(code) + (isCut ? '' : cookie.slice(at + 1))
    })
  const pair = fc.oneof(
    changed,
    fc.constantFrom(...real),
    bytes,
    fc
      .tuple(
        fc.constantFrom('session', 'csrf', 'title', 'signed', '__Host-session', 'flash', ''),
        bytes,
      )
      .map(([name, value]) => `${name}=${value}`),
    fc.constantFrom('title=%00', 'title=%ff', 'title="', 'title=%', '=', ';;', 'session', 'csrf=.'),
  )
  let good = 0
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...LANES),
      fc.array(pair, { maxLength: 12 }),
      fc.boolean(),
      async (lane, pairs, isForm) => {
        const fields = [`Cookie: ${pairs.join('; ')}`]
        if (!isForm) {
          const { status } = await ask(lane, '/cookies', fields, null)
          if (status === 200) good++
          return
        }
        const type = 'Content-Type: application/x-www-form-urlencoded'
        await ask(lane, '/cookies', [...fields, type], Buffer.from('csrf=x&title=y'))
      },
    ),
    { numRuns: 400 },
  )
  t.ok(good > 50, `${good} requests with such cookies were answered with a page`)
})

t.test('an upload that is cut off anywhere leaves no file and no descriptor', async (t) => {
  const { ask, port, uploads } = await start(t)
  const file = (name: string, bytes: number) =>
    `--XX\r\nContent-Disposition: form-data; name="${name}"; filename="${name}.bin"\r\n\r\n${'z'.repeat(bytes)}\r\n`
  const field = '--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
  const whole = Buffer.from(`${field}${file('f', 30_000)}${file('g', 60_000)}${field}--XX--\r\n`)
  const type = ['Content-Type: multipart/form-data; boundary=XX']
  const targets = Object.keys(BODIES)
  for (const lane of LANES) {
    for (const target of targets) await ask(lane, target, type, whole)
  }
  await eventually(t, () => uploads().length === 0, 'whole ones leave nothing')
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = descriptors()
  const how = fc.constantFrom('destroy', 'reset', 'end')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...LANES),
      fc.constantFrom(...targets),
      fc.nat(),
      fc.integer({ min: 1, max: 4 }),
      how,
      async (lane, target, nat, pieces, how) => {
        const request = requestOf(lane, target, type, whole)
        const sent = request.subarray(0, 1 + (nat % (request.length - 1)))
        const socket = await dial(port)
        const closed = new Promise((resolve) => socket.once('close', resolve))
        socket.on('error', () => {})
        socket.resume()
        for (let i = 0; i < pieces; i++) {
          const [from, to] = [i, i + 1].map((n) => Math.floor((sent.length * n) / pieces))
          await new Promise<void>((resolve) => {
            socket.write(sent.subarray(from, to), () => resolve())
          })
        }
        if (how === 'destroy') socket.destroy()
        else if (how === 'reset') socket.resetAndDestroy()
        else socket.end()
        const timer = setTimeout(() => socket.destroy(new Error('hangs')), HANG_MS)
        await closed
        clearTimeout(timer)
        if (socket.errored?.message === 'hangs') throw new Error(`${lane} ${target} hangs`)
      },
    ),
    { numRuns: 150 },
  )
  await eventually(t, () => uploads().length === 0, 'no file is left')
  await eventually(t, () => descriptors() <= before, 'no descriptor is left')
  for (const lane of LANES) {
    const { status } = await ask(lane, '/multipart', type, whole)
    t.equal(status, 200, `${lane} goes on`)
  }
})

async function eventually(t: Test, isTrue: () => boolean, what: string): Promise<void> {
  // For a while: the server may only now come to what was sent last.
  let inRow = 0
  for (let i = 0; i < 3000 && inRow < 10; i++) {
    await sleep(10)
    inRow = isTrue() ? inRow + 1 : 0
  }
  t.equal(inRow, 10, what)
}
