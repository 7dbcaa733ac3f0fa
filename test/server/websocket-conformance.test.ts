/**
 * RFC 6455 and 7692 in the manner of the Autobahn test suite: every case on a raw connection of its own, in what
 * the server sends to it. CONFORMANCE.md has the outcomes; UWAS_UPDATE=1 writes them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { socket } from '../../src/route/socket.ts'
import { partsOf } from '../support/conformance/table.ts'
import { type Outcome, outcomeOf, type SocketCase } from '../support/conformance/websocket-case.ts'
import { DEFLATE_CASES } from '../support/conformance/websocket-deflate.ts'
import { FRAME_CASES } from '../support/conformance/websocket-frames.ts'
import { EXCEPTIONS, renderSockets } from '../support/conformance/websocket-table.ts'
import { TEXT_CASES } from '../support/conformance/websocket-text.ts'
import { type SocketSite, serveSockets } from '../support/sockets.ts'

const FILE = fileURLToPath(new URL('../../CONFORMANCE.md', import.meta.url))
const ALL: readonly SocketCase[] = [...FRAME_CASES, ...TEXT_CASES, ...DEFLATE_CASES]
const LIMITS = { maxMessageBytes: 1024 * 1024, maxBackpressureBytes: 16 * 1024 * 1024 }

/** Sends back what it gets, and compresses where that was agreed on. */
function serveEcho(t: Test, codes: number[] = []): Promise<SocketSite> {
  const echo = socket(
    '/',
    {
      message: (one, message) => void one.send(message),
      close: (_one, code) => void codes.push(code),
    },
    { ...LIMITS, compress: true },
  )
  return serveSockets(t, [echo])
}

const outcomes = new Map<string, Outcome>()
let build = ''

t.test('cases are numbered and named once', async (t) => {
  for (const key of ['section', 'name'] as const) {
    const all = ALL.map((one) => one[key])
    t.same(all, [...new Set(all)])
  }
})

t.test('every case has the outcome that its clause asks for, or a known exception', async (t) => {
  const { port, engineVersion } = await serveEcho(t)
  build = engineVersion
  for (const one of ALL) {
    const outcome = await outcomeOf(port, one)
    outcomes.set(one.section, outcome)
    const isExcused = EXCEPTIONS.some(({ excuses }) => excuses(one, outcome))
    t.ok(outcome === one.asked || isExcused, `${one.section} ${one.name}: ${outcome}`)
  }
})

t.test('the site hears the code of what failed a connection', async (t) => {
  const codes: number[] = []
  const { port } = await serveEcho(t, codes)
  for (const one of ALL) {
    const [, code] = /close (100[279]), end$/.exec(one.asked) ?? []
    // A Close of these codes by the client is no failure.
    const isFailure = code !== undefined && !one.section.startsWith('7.7.')
    if (!isFailure || !/(?:^|, )end$/.test(outcomes.get(one.section) ?? '')) continue
    if (/close/.test(outcomes.get(one.section) ?? '')) continue
    const before = codes.length
    await outcomeOf(port, one)
    while (codes.length === before) await new Promise((resolve) => setImmediate(resolve))
    // What cannot be decompressed is too big, says the engine.
    const isUnreadable = one.section === '12.4.3' || one.section === '12.4.4'
    t.equal(codes.at(-1), isUnreadable ? 1009 : Number(code), `${one.section} ${one.name}`)
  }
})

t.test('CONFORMANCE.md has these outcomes', async (t) => {
  const before = readFileSync(FILE, 'utf8')
  const [http, sockets] = partsOf(before)
  const after = `${http.trimEnd()}\n\n${renderSockets(sockets, build, ALL, outcomes)}`
  if (process.env['UWAS_UPDATE'] === '1') writeFileSync(FILE, after)
  else t.equal(before, after, 'run this test with UWAS_UPDATE=1 and look at the difference')
})
