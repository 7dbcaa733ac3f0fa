/**
 * `npm run lint:native`: clang-format and clang-tidy over native/, by .clang-format and .clang-tidy.
 * `--fix` only formats, in place (npm run format). Exits 1 on a finding, or when one of the two is not installed.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { BUILD, BuildError, buildWithCmake, ROOT } from './build.mjs'

const FOLDERS = ['native/core', 'native/binding', 'native/test', 'native/fuzz']
const files = FOLDERS.flatMap((folder) => {
  return readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`)
}).filter((file) => /\.(cc|h)$/.test(file))

if (process.argv.includes('--fix')) {
  lint('clang-format', ['-i', ...files])
} else {
  lint('clang-format', ['--dry-run', '--Werror', ...files])
  tidy()
}

function tidy() {
  const folder = join(BUILD, 'lint')
  const options = ['-DUWAS_DEVELOPER=ON', '-DUWAS_FUZZ=ON', '-DCMAKE_CXX_COMPILER=clang++']
  try {
    // Only configured: clang-tidy wants to know how each file is compiled.
    buildWithCmake({ target: 'help', folder, log: join(BUILD, 'lint.log'), options })
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    return fail(`clang-tidy was not run: ${error.message}`)
  }
  lint('clang-tidy', ['--quiet', '-p', folder, ...files.filter((file) => file.endsWith('.cc'))])
}

function lint(tool, args) {
  const { status, error } = spawnSync(tool, args, { cwd: ROOT, stdio: 'inherit' })
  if (error) fail(`${tool} cannot be run: ${error.message}`)
  if (status !== 0) process.exitCode = 1
}

function fail(message) {
  console.error(`uwas: ${message}`)
  process.exitCode = 1
}
