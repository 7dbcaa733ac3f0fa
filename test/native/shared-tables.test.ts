/** Memory that processes have together: this process and children of it count in the same tables. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { GcraTable } from '../../src/core/gcra.ts'
import { loadNative } from '../../src/native/load.ts'
import type { SharedMemory } from '../../src/native/shared-memory.ts'
import {
  createSharedTables,
  SharedTables,
  TABLE_BYTES,
  TABLES,
} from '../../src/native/shared-tables.ts'

const { sharedMemory } = loadNative()
const skip = sharedMemory === null && 'without the addon there is no shared memory'
const memory = sharedMemory as SharedMemory
const root = join(import.meta.dirname, '../..')

t.test('the stand-in shares nothing', async (t) => {
  t.equal(loadNative('off').sharedMemory, null)
})

t.test('of what processes take at once, not one more passes than may', { skip }, async (t) => {
  const fd = createSharedTables(memory)
  t.teardown(() => closeSync(fd))
  const burst = 5000
  const child = async (): Promise<number> => {
    const script = `
      import { GcraTable } from './src/core/gcra.ts'
      import { loadNative } from './src/native/load.ts'
      import { SharedTables } from './src/native/shared-tables.ts'
      const { buffer } = new SharedTables(loadNative().sharedMemory, 3).claim('one', 1)
      const table = new GcraTable(65_536, buffer)
      let passed = 0
      for (let i = 0; i < 2 * ${burst}; i++) {
        if (table.take(7, 9, 1000, { intervalMs: 1000, burst: ${burst} }, 1).allowed) passed++
      }
      console.log(passed)`
    const args = ['--import', 'tsx', '--input-type=module', '-e', script]
    const one = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 2, fd] })
    let text = ''
    one.stdout?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await once(one, 'close')
    return Number(text)
  }
  const passed = await Promise.all([child(), child(), child()])
  t.equal(
    passed.reduce((sum, one) => sum + one),
    burst,
    passed.join(' + '),
  )
})

t.test(
  'a table is found by its name, and stays when its process has ended',
  { skip },
  async (t) => {
    const fd = createSharedTables(memory)
    t.teardown(() => closeSync(fd))
    const [one, other] = [new SharedTables(memory, fd), new SharedTables(memory, fd)]
    const first = one.claim('log-ins', GcraTable.bytesFor(65_536))
    new Uint8Array(first?.buffer ?? new ArrayBuffer(0))[5] = 77
    t.equal(new Uint8Array(other.claim('log-ins', 1)?.buffer as ArrayBuffer)[5], 77)
    t.equal(new Uint8Array(other.claim('sign-ups', 1)?.buffer as ArrayBuffer)[5], 0)
    t.equal(other.claim('sign-ups', 1)?.seed, first?.seed)
    t.not(new SharedTables(memory, createSharedTables(memory)).claim('a', 1)?.seed, first?.seed)
    t.equal(one.claim('too large', TABLE_BYTES + 1), null)
  },
)

t.test(
  'where all places are taken, those of limits that are gone are given away',
  { skip },
  async (t) => {
    const fd = createSharedTables(memory)
    t.teardown(() => closeSync(fd))
    const clock = { now: 1_000_000_000_000n }
    t.intercept(process.hrtime, 'bigint', { value: () => clock.now })
    const old = new SharedTables(memory, fd)
    for (let i = 0; i < TABLES; i++) {
      new Uint8Array(old.claim(`old ${i}`, 1)?.buffer as ArrayBuffer)[0] = 1
    }
    t.equal(old.claim('one more', 1), null, 'none of its own')
    clock.now += 60_000_000_000n
    const fresh = new SharedTables(memory, fd)
    fresh.claim('old 0', 1)
    t.equal(new Uint8Array(fresh.claim('one more', 1)?.buffer as ArrayBuffer)[0], 0)
    t.equal(new Uint8Array(fresh.claim('old 0', 1)?.buffer as ArrayBuffer)[0], 1, 'still there')
    t.equal(new Uint8Array(fresh.claim('old 2', 1)?.buffer as ArrayBuffer)[0], 1, 'and this one')
  },
)

t.test('what is no shared memory is told as such', { skip }, async (t) => {
  t.throws(() => memory.map(-1, 0, 4096), { code: 'UWAS_ERR_NATIVE_IO' })
  const fd = memory.create(8192)
  t.teardown(() => closeSync(fd))
  t.throws(() => memory.map(fd, 4096, 8192), {
    code: 'UWAS_ERR_NATIVE_NOT_REGULAR',
    message: `descriptor ${fd}, from 4096, 8192 bytes, is not shared memory with such a part`,
  })
})
