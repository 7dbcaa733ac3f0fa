/**
 * Every conformance case on a connection of its own through the gate, as a later request of a connection
 * that the engine serves, and cut in two at every byte. What the views have seen is checked, too.
 * CONFORMANCE.md has the outcomes; UWAS_UPDATE=1 writes them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { loadNative } from '../../src/native/load.ts'
import { serve } from '../support/application.ts'
import { catalogueOf, temporaryFolder, writeTree } from '../support/catalogue.ts'
import {
  type Case,
  isRefused,
  OPENING,
  type Outcome,
  outcomeOf,
} from '../support/conformance/case.ts'
import { ENGINE_REPLIES } from '../support/conformance/engine-replies.ts'
import { FORM_CASES, LATE } from '../support/conformance/forms.ts'
import { FRAMING_CASES } from '../support/conformance/framing.ts'
import { CONTENT, REPRESENTATION_CASES } from '../support/conformance/representations.ts'
import { SYNTAX_CASES } from '../support/conformance/syntax.ts'
import { renderTable } from '../support/conformance/table.ts'
import { listenerOf } from '../support/listener.ts'
import { dial, raw } from '../support/raw.ts'

const FILE = fileURLToPath(new URL('../../CONFORMANCE.md', import.meta.url))
const ALL: readonly Case[] = [
  ...FRAMING_CASES,
  ...SYNTAX_CASES,
  ...FORM_CASES,
  ...REPRESENTATION_CASES,
]
const skip = loadNative().gate === null && 'without the addon there is no gate'

/** Longer requests, and those of a file, are cut at a few places only. */
const CUT_EVERYWHERE = 200
const AT_A_TIME = 40

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = '16384'

/** A view that reads its content and answers with its path; the paths that it has seen. */
async function start(test: Test, lane?: 'native' | 'strict') {
  const seen: string[] = []
  const view = async (req: Request) => {
    await req.bytes()
    if (req.path === LATE) await sleep(20)
    seen.push(req.path)
    return text(req.path)
  }
  const dir = await writeTree(temporaryFolder(test), { 'file.txt': CONTENT })
  const { catalogue } = await catalogueOf(test, dir)
  const options = lane === undefined ? { catalogue } : { catalogue, lane }
  return { seen, ...(await serve(test, view, options)) }
}

t.test('cases are named once', async (t) => {
  const names = ALL.map(({ name }) => name)
  t.same(names, [...new Set(names)])
})

const firsts = new Map<string, Outcome>()
const laters = new Map<string, Outcome>()
let build = ''

t.test('a first request is answered as its clause asks', { skip }, async (t) => {
  const { port, seen } = await start(t)
  for (const { name, request, first } of ALL) {
    seen.length = 0
    const outcome = await outcomeOf(port, request, { expected: first })
    firsts.set(name, outcome)
    t.equal(outcome, first, name)
    t.notOk(seen.includes('/smuggled'), `${name}: content stays content`)
    t.ok(!isRefused(first) || seen.length === 0, `${name}: no view saw what was refused`)
  }
})

t.test('a later request on a connection of the engine is refused or served alike', async (t) => {
  const { port, seen, engineVersion } = await start(t, 'native')
  build = engineVersion
  for (const { name, request, first, exception } of ALL) {
    seen.length = 0
    const outcome = await outcomeOf(port, request, { opening: OPENING })
    laters.set(name, outcome)
    if (exception !== undefined) continue
    const isAlike = isRefused(first) ? isRefused(outcome) : outcome === first
    t.ok(isAlike, `${name}: ${outcome}, where a first one is ${first}`)
    t.notOk(seen.includes('/smuggled'), `${name}: content stays content`)
  }
})

t.test('what the engine answers by itself is the exception that is told', async (t) => {
  const listener = listenerOf()
  const { port } = await serve(t, () => text('opened'), { lane: 'native', listeners: [listener] })
  for (const { reply, request } of ENGINE_REPLIES) {
    const socket = await dial(port)
    await new Promise((resolve) => {
      socket.once('data', resolve)
      socket.write(OPENING)
    })
    const { bytes, closed } = await raw(port, request, { untilClosed: true, socket })
    t.equal(bytes.toString(), reply)
    t.ok(closed)
  }
  t.equal(listener.heard.length, ENGINE_REPLIES.length, 'of the opening requests alone')
})

t.test('CONFORMANCE.md has these outcomes', { skip }, async (t) => {
  const before = readFileSync(FILE, { encoding: 'utf8', flag: 'a+' })
  const after = renderTable(before, build, ALL, firsts, laters)
  if (process.env['UWAS_UPDATE'] === '1') writeFileSync(FILE, after)
  else t.equal(before, after, 'run this test with UWAS_UPDATE=1 and look at the difference')
})

for (const lane of [undefined, 'strict', 'native'] as const) {
  const title = `cut in two at any byte a request is answered alike (${lane ?? 'gate'})`
  t.test(title, { skip: lane !== 'native' && skip }, async (t) => {
    const { port } = await start(t, lane)
    const tries = ALL.flatMap((one) => {
      const { name, first, strict = first } = one
      const whole = lane === 'native' ? laters.get(name) : lane === 'strict' ? strict : first
      return (whole?.includes('silent') ?? true)
        ? []
        : cutsOf(one).map((cut) => ({ ...one, cut, whole }))
    })
    const wrong: string[] = []
    const next = async (): Promise<void> => {
      for (let one = tries.pop(); one !== undefined; one = tries.pop()) {
        const { name, request, whole = '', cut } = one
        const opening = lane === 'native' ? { opening: OPENING } : {}
        const outcome = await outcomeOf(port, request, { cut, expected: whole, ...opening })
        // A refusal of the engine's lane leaves without a word when bytes follow in the same segment.
        const isAlike =
          lane === 'native' && isRefused(whole) ? isRefused(outcome) : outcome === whole
        if (!isAlike) wrong.push(`${name}, cut at ${cut}: ${outcome}, not ${whole}`)
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, next))
    t.same(wrong, [])
  })
}

function cutsOf(one: Case): number[] {
  const { length } = one.request
  if (length > CUT_EVERYWHERE || REPRESENTATION_CASES.includes(one))
    return [1, 20, length - 20, length - 1]
  return Array.from({ length: length - 1 }, (_, i) => i + 1)
}
