// The compiled addon: the shared cases, and what only a mapping can get wrong.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { loadAddon } from '../../src/native/addon.ts'
import { loadNative } from '../../src/native/load.ts'
import { runCases } from './cases.ts'

const native = loadNative()
const skip = native.kind === 'addon' ? false : (native.reason ?? true)
const attempt = (call: () => unknown) => {
  try {
    return call()
  } catch (error) {
    return error
  }
}
const scriptOf = (name: string) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))

/** A thread does not have the TypeScript loader of its parent. */
const IN_WORKER = `
import('tsx/esm/api').then(({ register }) => {
  register()
  return import(require('node:worker_threads').workerData.script)
})`

t.test('the shared cases hold for the addon', { skip }, async (t) => runCases(t, native))

t.test('a mapping is released when its ArrayBuffer is collected', { skip }, async (t) => {
  const file = join(t.testdir(), 'mapped')
  writeFileSync(file, Buffer.alloc(256 * 1024, 'x'))
  const args = ['--expose-gc', '--import=tsx', scriptOf('collect'), file]
  const counts = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  t.same(counts, { held: 50, collected: 0 })
})

t.test('the addon works in worker threads, whose mappings end with them', { skip }, async (t) => {
  const file = join(t.testdir(), 'mapped')
  writeFileSync(file, 'read in a thread')
  const script = new URL('in-worker.ts', import.meta.url).href
  const worker = new Worker(IN_WORKER, { eval: true, workerData: { file, script } })
  const [said] = await once(worker, 'message')
  t.same(said, { kind: 'addon', text: 'read in a thread', code: 'UWAS_ERR_NATIVE_NOT_FOUND' })
  t.match(readFileSync('/proc/self/maps', 'utf8'), file)
  await worker.terminate()
  t.notMatch(readFileSync('/proc/self/maps', 'utf8'), file)
  t.equal(Buffer.from(native.mapFile(file)).toString(), 'read in a thread')
})

t.test('a mapping stays with its thread when it is to be transferred', { skip }, async (t) => {
  const file = join(t.testdir({ mapped: 'bytes' }), 'mapped')
  const mapped = native.mapFile(file)
  // Node 20 sends a copy, later versions throw a DataCloneError.
  const copy = attempt(() => structuredClone(mapped, { transfer: [mapped] }))
  rmSync(file)
  t.equal(Buffer.from(mapped).toString(), 'bytes')
  t.not(copy, mapped)
})

t.test('the functions of the addon itself check their arguments', { skip }, async (t) => {
  const file = fileURLToPath(new URL('../../build/addon/uwas.node', import.meta.url))
  const raw = loadAddon(file) as unknown as Record<string, (...values: unknown[]) => unknown>
  const expected = {
    name: 'TypeError',
    code: 'UWAS_ERR_NATIVE_ARGUMENT',
    message: 'expected strings',
  }
  for (const values of [[], [1], [undefined], [Symbol('path')]]) {
    t.throws(() => raw['mapFile']?.(...values), expected)
  }
  for (const values of [[], ['/'], ['/', 1], [{}, 'x']]) {
    t.throws(() => raw['openBeneath']?.(...values), expected)
  }
})
