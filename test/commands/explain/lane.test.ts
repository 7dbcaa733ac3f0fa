/** The lane of a request, and what its framing alone decides: as a real connection with the same bytes has it. */
import { connect } from 'node:net'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createApp, openBackends } from '../../../src/app.ts'
import { readAsked } from '../../../src/commands/explain/ask.ts'
import { explain } from '../../../src/commands/explain/decide.ts'
import { explainLane, headOf } from '../../../src/commands/explain/lane.ts'
import { createLog } from '../../../src/core/log.ts'
import { text } from '../../../src/http/reply.ts'
import type { Lane } from '../../../src/native/gate.ts'
import { loadNative } from '../../../src/native/load.ts'
import { compileUrls } from '../../../src/route/compile.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { listen } from '../../../src/server/server.ts'
import { parseConfig } from '../../../src/was/config.ts'
import { createSiteRules } from '../../../src/was/site-rules.ts'
import { folder, run } from '../../support/binary.ts'
import { openGate } from '../../support/gate.ts'

const { gate, judge } = loadNative()
const skip = (gate === null || judge === null) && 'without the addon there is no gate'
const MAX_HEAD = 16 * 1024

const FIELDS = fc.constantFrom(
  'Host: a.example',
  'Host: a@b',
  'Host: [::1]:80',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 1a',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding:',
  'Expect: 100-continue',
  'Connection: close',
  'Cookie: a=b',
  'X-Latin: \u00e9',
  'X-Tab: a\tb',
  'User-Agent: Debian APT-HTTP/1.3 (2.6.1)',
)

const REQUESTS = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'BREW'),
  url: fc.constantFrom('/', '/a?b=c', '/%C3%A9', '/missing'),
  fields: fc.array(FIELDS, { maxLength: 5 }),
  version: fc.constantFrom('1.0', '1.1'),
} as const)

t.test('explain judges a request as the gate judges its connection', { skip }, async (t) => {
  const opened = openGate(t, MAX_HEAD)
  const check = fc.asyncProperty(REQUESTS, async ({ method, url, fields, version }) => {
    const asked = readAsked(method, url, fields, { version })
    const lane: Lane = await opened.laneOf(headOf(asked))
    const told = explainLane(asked, MAX_HEAD, judge)
    t.equal(told.name, lane, JSON.stringify([method, url, fields, version, told]))
  })
  await fc.assert(check, { numRuns: 150 })
})

/** The status of what the server answers to these bytes, and then it is silent. */
function statusOf(port: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`closed without an answer: ${answer}`)))
    socket.on('data', (data) => {
      answer += data.toString('latin1')
      const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(answer) ?? []
      // 100 is no answer yet.
      const [, after] = /^HTTP\/1\.1 100 [\s\S]*?\r\n\r\nHTTP\/1\.1 (\d{3}) /.exec(answer) ?? []
      if (status === undefined || (status === '100' && after === undefined)) return
      socket.removeAllListeners('close').destroy()
      resolve(Number(after ?? status))
    })
  })
}

async function site(t: Test) {
  const log = createLog(() => {})
  const page = () => text('page')
  const urls = urlconf(path('/', { get: page, post: page }, { maxBodyBytes: 3 }), path('/a', page))
  const root = folder(t, { 'static/a.css': 'a' })
  const raw = { urls, static: [{ dir: 'static', prefix: '/static' }], stateDir: 'state' }
  const config = parseConfig(raw, { file: `${root}/uwas.config.ts`, env: {} })
  const backends = await openBackends(config, log)
  const app = await createApp(config, backends, { log })
  const server = await listen(app, { host: '127.0.0.1', port: 0, headers: [] })
  t.teardown(async () => {
    await server.close({ graceMs: 0 })
    await backends.close()
  })
  const rules = createSiteRules(config)
  const told = { config, files: backends.files, urls: compileUrls(urls), rules, judge }
  return { port: server.port, told }
}

t.test('a request of any framing is answered as explain says', { skip }, async (t) => {
  const { port, told } = await site(t)
  const compare = async (...args: Parameters<typeof readAsked>) => {
    const asked = readAsked(...args)
    const { status, by, lane } = explain(told, asked)
    const answered = await statusOf(port, headOf(asked))
    t.equal(answered, status ?? 200, JSON.stringify([...args, by, lane]))
  }
  const check = fc.asyncProperty(REQUESTS, async ({ method, url, fields, version }) => {
    await compare(method, url, fields, { version })
  })
  // Of several faults the parser's own are told first; which, depends on their order.
  for (const version of ['1.0', '1.1'] as const) {
    await compare('GET', '/', ['Expect: a miracle'], { version })
    await compare('GET', '/', Array(257).fill('A: b'), { version })
    await compare('GET', '/', [`A: ${'b'.repeat(MAX_HEAD)}`], { version })
  }
  await fc.assert(check, { numRuns: 150 })
})

t.test('a body that is too long is told, and a head that is', { skip }, async (t) => {
  const { told } = await site(t)
  const tell = (...args: Parameters<typeof readAsked>) => explain(told, readAsked(...args))
  t.match(tell('POST', '/', [], { bodyBytes: 4 }), {
    status: 413,
    summary: 'the body has 4 bytes, and maxBodyBytes is 3',
  })
  t.match(tell('POST', '/', [], { bodyBytes: 3 }), { by: 'view' })
  t.match(tell('GET', '/static/a.css', [], { bodyBytes: 4_000_000 }), { by: 'file', status: 200 })
  t.match(tell('GET', '/missing', ['Content-Length: 4000000']), { status: 413 })
  t.match(tell('GET', '/', [`A: ${'x'.repeat(MAX_HEAD)}`]), {
    status: 431,
    lane: { name: 'strict', because: /its head has \d+ bytes, and limits.maxHeaderBytes is 16384/ },
  })
  t.match(tell('GET', '/', ['Expect: x']).lane.because, '"Expect: x" is not plainly ordinary')
  t.match(
    tell('GET', '/', ['User-Agent: Debian APT-HTTP/1.3 (2.6.1)']).lane.because,
    'APT-HTTP/1.3 (2.6.1)" names a client that does not wait for replies',
  )
  t.match(tell('GET', '/', ['Host: a', 'Host: a']).lane.because, '"Host: a" is not plainly')
  t.match(tell('GET', '/', [], { version: '1.0' }), {
    by: 'view',
    lane: { name: 'strict', because: '"GET / HTTP/1.0" is not plainly ordinary' },
  })
  const ungated = explain(
    { ...told, judge: null },
    readAsked('GET', '/', ['Transfer-Encoding: chunked']),
  )
  t.match(ungated, {
    status: 411,
    by: 'refusal',
    lane: { name: 'native', because: /without the addon/ },
  })
})

t.test('the command line says version, method and body of the request', { skip }, async (t) => {
  const cwd = folder(t, {
    'uwas.config.ts': "export const config = { static: 'public' }",
    'public/a': '',
  })
  const told = await run(
    ['explain', '-X', 'post', '/a', '--body', '2000000', '--http-version', '1.0'],
    { cwd },
  )
  t.match(told.stdout, /^POST \/a\n→ 413 Content Too Large: the body has 2000000 bytes/)
  t.match(told.stdout, /lane +strict: "POST \/a HTTP\/1\.0" is not plainly ordinary/)
  const twice = await run(['explain', '-X', 'POST', 'GET', '/'], { cwd })
  t.equal(twice.code, 2)
  t.match(twice.stderr, /its method is given twice, as GET and by -X POST/)
  t.match(
    (await run(['explain', '/', '--body', 'much'], { cwd })).stderr,
    /It is no number of bytes/,
  )
})
