/**
 * `npm run fuzz:native [SECONDS [RUNS]]`: builds the libFuzzer targets of native/core with clang and runs each
 * for so many seconds (default 60), or for so many inputs, which are then the same every time. What it finds is kept in build/fuzz/. Exits 1 on a finding; says so and
 * exits 1, too, where there is no clang. The last line is a count.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { BUILD, BuildError, buildWithCmake, ROOT } from '../build.mjs'

const TARGETS = ['head']
const seconds = Number(process.argv[2] ?? 60)
const repeatable = process.argv[3] === undefined ? [] : [`-runs=${process.argv[3]}`, '-seed=1']
const folder = join(BUILD, 'fuzz')
const log = join(BUILD, 'fuzz.log')

try {
  let failed = 0
  for (const target of TARGETS) {
    const options = ['-DUWAS_FUZZ=ON', '-DCMAKE_CXX_COMPILER=clang++', '-DCMAKE_BUILD_TYPE=Debug']
    buildWithCmake({ target: `${target}_fuzz`, folder, log, options })
    const corpus = join(BUILD, 'fuzz-corpus', target)
    mkdirSync(corpus, { recursive: true })
    const dictionary = join(ROOT, 'native', 'fuzz', `${target}.dict`)
    const limits = [`-max_total_time=${seconds}`, '-max_len=1024', ...repeatable]
    const args = [`-dict=${dictionary}`, ...limits]
    const prefix = `-artifact_prefix=${folder}/`
    const { status } = spawnSync(join(folder, `${target}_fuzz`), [...args, prefix, corpus], {
      stdio: 'inherit',
    })
    if (status !== 0) failed++
  }
  console.log(`${TARGETS.length - failed} passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  console.error(`uwas: native/core was not fuzzed: ${error.message}`)
  process.exitCode = 1
}
