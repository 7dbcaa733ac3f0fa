/** The costs that can be counted alike anywhere, held against bench/profile/counts.json; never a time. */
import t from 'tap'
import { changedInstructions, changes, countsOf, readExpected } from '../../bench/profile/counts.ts'
import {
  countInstructions,
  missingCallgrind,
  type NativeCase,
} from '../../bench/profile/kinds/instructions.ts'
import { missingStrace } from '../../bench/profile/kinds/syscalls.ts'
import { requestInstructions } from '../../bench/profile/request-instructions.ts'
import { scenarios } from '../../bench/scenarios/all.ts'

const MEANT = 'if that is meant, write it into bench/profile/counts.json'
const expected = readExpected()

// Each scenario starts a site and counts thousands of requests.
t.setTimeout(300_000)

t.test('more bytes, fewer bytes and another system call are changes', async (t) => {
  const usual = { bytes: 1000, calls: { recvfrom: 1, sendto: 1 } }
  const changed = (more: object) => changes('x', usual, { ...usual, ...more })
  t.same(changed({ bytes: 1090 }), [])
  t.same(changed({ calls: undefined }), [], 'there is no strace')
  t.same(changed({ bytes: 1101 }), ['x allocates 1101 bytes a request, not 1000'])
  t.same(changed({ bytes: 899 }), ['x allocates 899 bytes a request, not 1000'])
  t.match(changed({ calls: { recvfrom: 1, sendto: 2 } }), [
    'x makes the system calls {"recvfrom":1,"sendto":2} a request',
  ])
  t.match(changed({ calls: { openat: 1, recvfrom: 1, sendto: 1 } }), ['"openat":1'])
  t.same(changedInstructions('x', 1000, 1040, 'requests'), [])
  t.same(changedInstructions('x', 1000, 940, 'requests'), ['x takes 940 instructions, not 1000'])
  t.same(changedInstructions('y', 1000, 1200), [])
  t.same(changedInstructions('y', 1000, 1300), ['y takes 1300 instructions, not 1000'])
})

const major = Number(process.versions.node.split('.')[0])
const wrongHere =
  process.platform !== 'linux'
    ? 'it asks the kernel of Linux'
    : major !== expected.node && `they are those of Node ${expected.node}`

t.test('no request costs more, or other, than it did', { skip: wrongHere }, async (t) => {
  const hasStrace = missingStrace() === undefined
  for (const [name, usual] of Object.entries(expected.scenarios)) {
    const scenario = scenarios.find((one) => one.name === name)
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`)
    const found = changes(name, usual, await countsOf({ name, scenario }, hasStrace))
    t.same(found, [], `${name}: ${MEANT}`)
  }
})

t.test(
  'a request takes no more instructions than it did, in the whole server',
  { skip: missingCallgrind() ?? wrongHere },
  async (t) => {
    for (const [name, usual] of Object.entries(expected.requests)) {
      const scenario = scenarios.find((one) => one.name === name)
      if (scenario === undefined) throw new Error(`there is no scenario ${name}`)
      const counted = await requestInstructions({ name, scenario })
      t.same(changedInstructions(name, usual, counted, 'requests'), [], MEANT)
    }
  },
)

t.test(
  'the addon takes no more instructions than it did',
  { skip: missingCallgrind() ?? false },
  async (t) => {
    const { counts } = countInstructions()
    for (const [name, usual] of Object.entries(expected.instructions)) {
      t.same(changedInstructions(name, usual, counts[name as NativeCase]), [], MEANT)
    }
  },
)
