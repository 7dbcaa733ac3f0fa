/**
 * What install.mjs, prebuilt.mjs, lint.mjs and test/run.mjs share: where things are, how a tool is run with its
 * output kept in a log, and the CMake calls. Plain JavaScript: it runs before anything is built.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package's root folder. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Everything that is built lies below it; git and npm leave it out. */
export const BUILD = join(ROOT, 'build')

/** The addon. Its folder holds nothing else: node-pre-gyp packs and unpacks the folder whole. */
export const ADDON = join(BUILD, 'addon', 'uwas.node')

/** A failure whose message is one line for the user. */
export class BuildError extends Error {}

/**
 * Configures and builds one CMake target in an emptied folder; everything that is printed goes to
 * `log`. Throws a BuildError that says what is missing or names the log.
 *
 * @param {{ target: string, folder: string, log: string, options: string[] }} build
 */
export function buildWithCmake({ target, folder, log, options }) {
  mkdirSync(BUILD, { recursive: true })
  writeFileSync(log, '')
  // A cache made elsewhere, or by another compiler, makes CMake stop; a full build takes seconds.
  rmSync(folder, { recursive: true, force: true })
  const headers = [
    `-DUWAS_NODE_ADDON_API=${packageFolder('node-addon-api')}`,
    `-DUWAS_NODE_API_HEADERS=${join(packageFolder('node-api-headers'), 'include')}`,
  ]
  const configured = run('cmake', ['-S', ROOT, '-B', folder, ...headers, ...options], log)
  if (configured.missing) throw new BuildError('cmake is not installed')
  if (configured.status !== 0) throw new BuildError(whyNotConfigured(configured.output, log))
  const jobs = String(availableParallelism())
  const built = run('cmake', ['--build', folder, '--target', target, '--parallel', jobs], log)
  if (built.status !== 0) throw new BuildError(`it does not compile (see ${log})`)
}

/**
 * Runs a tool, adds what it prints to `log`.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {string} log
 */
export function run(command, args, log) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const output = `${stdout ?? ''}${stderr ?? ''}`
  appendFileSync(log, `$ ${[command, ...args].join(' ')}\n${output}${error ? `${error}\n` : ''}`)
  return { status, output, missing: error !== undefined }
}

/** The folder of an installed package, wherever npm has put it. */
export function packageFolder(name) {
  return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
}

function whyNotConfigured(output, log) {
  const noCompiler = /CMAKE_CXX_COMPILER|CMAKE_MAKE_PROGRAM|cxx_std_20|CXX20/.test(output)
  return noCompiler
    ? `there is no C++20 compiler or no make (see ${log})`
    : `cmake could not configure it (see ${log})`
}
