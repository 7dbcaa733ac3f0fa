// The stand-in in plain JavaScript: the shared cases.
import t from 'tap'
import { loadNative } from '../../src/native/load.ts'
import { runCases } from './cases.ts'

const native = loadNative('off')

t.test('the shared cases hold for the stand-in', async (t) => {
  t.equal(native.kind, 'stand-in')
  runCases(t, native)
})
