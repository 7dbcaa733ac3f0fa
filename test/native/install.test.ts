// npm's install script, in a copy of what the package ships, on machines that lack one thing or another.
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { loadNative } from '../../src/native/load.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NOT_BUILT = 'uwas: native addon not built, its stand-in is used: '
const cmake = whereIs('cmake')
const canBuild =
  cmake !== undefined && whereIs('c++') !== undefined && whereIs('make') !== undefined
const skip = canBuild ? false : 'there is no cmake, compiler or make here'

t.test(
  'without cmake and compiler the installation succeeds and says so in one line',
  async (t) => {
    const tree = copyPackage(t)
    const { status, stdout, stderr } = install(tree, emptyPath(t))
    t.equal(status, 0)
    t.equal(stdout, `${NOT_BUILT}cmake is not installed\n`)
    t.equal(stderr, '')
    const native = loadNative('', addonOf(tree))
    t.equal(native.kind, 'stand-in')
    t.equal(native.reason, `${addonOf(tree)} is not there, it was not built`)
  },
)

t.test(
  'without the packages with the headers the installation succeeds all the same',
  async (t) => {
    const tree = copyPackage(t)
    rmSync(join(tree, 'node_modules'))
    const { status, stdout } = install(tree, emptyPath(t))
    t.equal(status, 0)
    t.match(stdout, /^uwas: native addon not built, its stand-in is used: .*node-addon-api.*\n$/)
  },
)

t.test('with cmake but without a compiler it says so and names the log', { skip }, async (t) => {
  const tree = copyPackage(t)
  const path = emptyPath(t)
  symlinkSync(cmake ?? '', join(path, 'cmake'))
  const { status, stdout } = install(tree, path, { CXX: 'no-such-compiler' })
  t.equal(status, 0)
  const log = join(tree, 'build/native.log')
  t.equal(stdout, `${NOT_BUILT}there is no C++20 compiler or no make (see ${log})\n`)
  t.match(readFileSync(log, 'utf8'), 'CMAKE_CXX_COMPILER')
})

t.test(
  'it builds without a word, once; broken sources leave no addon behind',
  { skip },
  async (t) => {
    const tree = copyPackage(t)
    const silent = { status: 0, stdout: '', stderr: '' }
    t.match(install(tree), silent)
    t.equal(loadNative('', addonOf(tree)).kind, 'addon')
    const builtAt = statSync(addonOf(tree)).mtimeMs
    t.match(install(tree, emptyPath(t), {}, []), silent, 'nothing is built, so nothing is needed')
    t.equal(statSync(addonOf(tree)).mtimeMs, builtAt)

    appendFileSync(join(tree, 'native/core/error.cc'), '\nthis is not C++\n')
    const { status, stdout } = install(tree, process.env['PATH'], {}, [])
    t.equal(status, 0)
    const log = join(tree, 'build/native.log')
    t.equal(stdout, `${NOT_BUILT}it does not compile (see ${log})\n`)
    t.notOk(existsSync(addonOf(tree)))
  },
)

t.test(
  'a prebuilt addon is packed, and fetched where a host is configured',
  { skip },
  async (t) => {
    const tree = copyPackage(t)
    t.match(prebuilt(tree, 'package'), {
      status: 1,
      stderr: `uwas: ${addonOf(tree)} is not there; "npm run build:native" builds it\n`,
    })
    t.equal(install(tree).status, 0)
    const packed = prebuilt(tree, 'package')
    t.equal(packed.status, 0, packed.stderr)

    const other = copyPackage(t)
    configureHost(other, `file://${tree}/build/stage`)
    t.match(install(other, emptyPath(t)), { status: 0, stdout: '', stderr: '' })
    t.equal(loadNative('', addonOf(other)).kind, 'addon')

    configureHost(other, `file://${tree}/nothing-here`)
    const { status, stdout } = install(other, emptyPath(t))
    t.equal(status, 0)
    const log = join(other, 'build/native.log')
    const problems = `cmake is not installed; no prebuilt one was fetched (see ${log})`
    t.equal(stdout, `${NOT_BUILT}${problems}\n`)
    t.notOk(existsSync(addonOf(other)))
  },
)

t.test('prebuilt.mjs says how it is used', async (t) => {
  const expected = {
    status: 1,
    stderr: 'uwas: usage: node native/prebuilt.mjs package | install\n',
  }
  t.match(prebuilt(copyPackage(t), 'toString'), expected)
})

/** What npm unpacks, with the dependencies beside it. */
function copyPackage(t: Test): string {
  const tree = temporary(t)
  for (const name of ['native', 'CMakeLists.txt', 'package.json']) {
    cpSync(join(ROOT, name), join(tree, name), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
  return tree
}

/** A PATH in which there is only node. */
function emptyPath(t: Test): string {
  const folder = join(temporary(t), 'bin')
  mkdirSync(folder)
  symlinkSync(process.execPath, join(folder, 'node'))
  return folder
}

function temporary(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'uwas-install-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

function install(tree: string, path = process.env['PATH'], more = {}, args = ['--force']) {
  return runNode(tree, ['native/install.mjs', ...args], { PATH: path, ...more })
}

function prebuilt(tree: string, command: string) {
  return runNode(tree, ['native/prebuilt.mjs', command], { PATH: process.env['PATH'] })
}

/** A clean environment: what the test runner sets for its own processes is not for these. */
function runNode(cwd: string, args: string[], env: Record<string, string | undefined>) {
  return spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
}

function addonOf(tree: string): string {
  return join(tree, 'build/addon/uwas.node')
}

function configureHost(tree: string, host: string): void {
  const file = join(tree, 'package.json')
  const description = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...description, binary: { host } }))
}

function whereIs(tool: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':')
  return folders.map((folder) => join(folder, tool)).find((file) => existsSync(file))
}
