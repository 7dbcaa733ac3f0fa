/**
 * `npm run test:native`: builds the tests of native/core with AddressSanitizer and UBSan, runs them.
 * The last line is a count. Exits 1 when a test fails, and also when there is nothing to build with.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { BUILD, BuildError, buildWithCmake } from '../build.mjs'

const folder = join(BUILD, 'native-test')
const log = join(BUILD, 'native-test.log')

try {
  const options = ['-DUWAS_DEVELOPER=ON', '-DCMAKE_BUILD_TYPE=Debug']
  buildWithCmake({ target: 'core_test', folder, log, options })
  const { status, error } = spawnSync(join(folder, 'core_test'), { stdio: 'inherit' })
  if (error) throw new BuildError(`the tests do not run: ${error.message}`)
  // A sanitizer's finding ends the process with a status of its own, or by a signal.
  process.exitCode = status ?? 1
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  console.error(`uwas: the tests of native/core were not run: ${error.message}`)
  process.exitCode = 1
}
