/**
 * Run by addon.test.ts in a process of its own with --expose-gc: maps argv[2] fifty times, prints how
 * many mappings the kernel shows while they are held, and after they could be collected.
 */
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { loadNative } from '../../src/native/load.ts'

const native = loadNative('on')
const file = process.argv[2] ?? ''

function countMappings(): number {
  const lines = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return lines.filter((line) => line.endsWith(` ${file}`)).length
}

function countWhileHeld(): number {
  const held = Array.from({ length: 50 }, () => native.mapFile(file))
  const count = countMappings()
  return held.every((buffer) => buffer.byteLength > 0) ? count : -1
}

const held = countWhileHeld()
for (let i = 0; i < 100 && countMappings() > 0; i++) {
  globalThis.gc?.()
  await setImmediate()
}
process.stdout.write(JSON.stringify({ held, collected: countMappings() }))
