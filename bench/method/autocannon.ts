/** autocannon, which npm brings: for machines without wrk. One process of Node, so one thread however many cores it may use. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { listOf } from './cores.ts'
import type { LoadPlan, LoadResult } from './load.ts'

const SCRIPT = fileURLToPath(new URL('autocannon-load.mjs', import.meta.url))

export function hasAutocannon(): boolean {
  try {
    createRequire(import.meta.url).resolve('autocannon')
    return true
  } catch {
    return false
  }
}

export async function loadByAutocannon(
  plan: LoadPlan,
  cores: readonly number[],
  seconds: number,
): Promise<LoadResult> {
  const file = join(plan.scratch, 'load.json')
  writeFileSync(file, JSON.stringify({ ...plan, seconds }))
  const command = ['-c', listOf(cores), process.execPath, SCRIPT, file]
  const { stdout } = await promisify(execFile)('taskset', command)
  return JSON.parse(stdout)
}
