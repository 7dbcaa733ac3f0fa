// Which of the two is loaded, and what is said when it is not the addon.
import { join } from 'node:path'
import t from 'tap'
import { loadNative } from '../../src/native/load.ts'

t.test('a missing addon gives the stand-in and the reason', async (t) => {
  const file = join(t.testdir({ text: 'works' }), 'uwas.node')
  const native = loadNative('', file)
  t.equal(native.kind, 'stand-in')
  t.equal(native.reason, `${file} is not there, it was not built`)
  const mapped = native.mapFile(join(file, '../text'))
  t.equal(Buffer.from(mapped).toString(), 'works')
})

t.test('an addon that does not load gives the stand-in and a reason of one line', async (t) => {
  const file = join(t.testdir({ 'uwas.node': 'this is no shared object' }), 'uwas.node')
  const native = loadNative('', file)
  t.equal(native.kind, 'stand-in')
  t.match(native.reason, `${file} does not load: `)
  t.notMatch(native.reason, '\n')
})

t.test('an addon without all the functions gives the stand-in and the reason', async (t) => {
  const file = join(t.testdir({ 'old.cjs': 'exports.mapFile = () => {}' }), 'old.cjs')
  const native = loadNative('', file)
  t.equal(native.kind, 'stand-in')
  t.equal(native.reason, `${file} is of another version`)
})

t.test('UWAS_NATIVE=off takes the stand-in in any case', async (t) => {
  const native = loadNative('off')
  t.equal(native.kind, 'stand-in')
  t.equal(native.reason, 'UWAS_NATIVE=off')
})

t.test('UWAS_NATIVE=on insists on the addon', async (t) => {
  const file = join(t.testdir(), 'uwas.node')
  t.throws(() => loadNative('on', file), {
    code: 'UWAS_ERR_NATIVE_ADDON',
    message: `UWAS_NATIVE=on asks for the native addon, which does not load: ${file} is not there, it was not built`,
    cause: Error,
  })
})

t.test('another value of UWAS_NATIVE is refused', async (t) => {
  t.throws(() => loadNative('yes'), {
    name: 'TypeError',
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: 'UWAS_NATIVE: "yes" is neither "on" nor "off"',
  })
})

t.test('without an argument the environment decides', async (t) => {
  const before = process.env['UWAS_NATIVE']
  t.teardown(() => {
    if (before === undefined) delete process.env['UWAS_NATIVE']
    else process.env['UWAS_NATIVE'] = before
  })
  process.env['UWAS_NATIVE'] = 'off'
  t.equal(loadNative().reason, 'UWAS_NATIVE=off')
  process.env['UWAS_NATIVE'] = 'never'
  t.throws(() => loadNative(), { message: 'UWAS_NATIVE: "never" is neither "on" nor "off"' })
})
