/**
 * npm's `install` script: builds the native addon into build/addon/uwas.node, or fetches a prebuilt
 * one where package.json names a `binary.host`. uwas runs without it, so this never fails the
 * installation: it says in one line why there is no addon. Silent when there is one.
 * `--force` builds even when the addon is up to date (npm run build:native).
 */
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ADDON, BUILD, BuildError, buildWithCmake, packageFolder, ROOT, run } from './build.mjs'

const LOG = join(BUILD, 'native.log')
/** Holds the fingerprint of what the present addon was built from. */
const FINGERPRINT = join(BUILD, 'native.fingerprint')

main(process.argv.includes('--force'))

function main(force) {
  if (!force && attempt(checkUpToDate) === undefined) return
  const problems = [attempt(build)]
  if (problems[0] !== undefined && isHostConfigured()) problems.push(attempt(fetchPrebuilt))
  if (problems.includes(undefined)) return
  // An addon made from other sources is worse than none.
  attempt(() => rmSync(ADDON, { force: true }))
  console.log(`uwas: native addon not built, its stand-in is used: ${problems.join('; ')}`)
}

/** Undefined when `step` works, else its failure in one line. */
function attempt(step) {
  try {
    step()
    return undefined
  } catch (error) {
    return error instanceof BuildError ? error.message : String(error).split('\n')[0]
  }
}

function checkUpToDate() {
  const upToDate = existsSync(ADDON) && readText(FINGERPRINT) === fingerprint()
  if (!upToDate) throw new BuildError('not built from the present sources')
}

function build() {
  if (process.platform === 'win32') throw new BuildError('it is for Linux and macOS')
  const folder = join(BUILD, 'cmake')
  buildWithCmake({ target: 'uwas', folder, log: LOG, options: ['-DCMAKE_BUILD_TYPE=Release'] })
  const built = join(folder, 'uwas.node')
  checkLoads(built)
  // Renamed into place: a running server keeps the file that it has mapped.
  mkdirSync(dirname(ADDON), { recursive: true })
  copyFileSync(built, `${built}.new`)
  renameSync(`${built}.new`, ADDON)
  writeFileSync(FINGERPRINT, fingerprint())
}

/** Loads it in a process of its own, so that a broken addon harms nothing here. */
function checkLoads(file) {
  const { status } = run(process.execPath, ['-e', 'require(process.argv[1])', file], LOG)
  if (status !== 0) throw new BuildError(`it does not load (see ${LOG})`)
}

/** A hash over all that goes into the addon. Not Node's version: Node-API is the same in each. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const name of ['node-addon-api', 'node-api-headers']) {
    hash.update(
      `${name} ${JSON.parse(readText(join(packageFolder(name), 'package.json'))).version}\n`,
    )
  }
  for (const file of sources()) hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)))
  return hash.digest('hex')
}

function sources() {
  const folders = ['native/core', 'native/binding']
  const files = folders.flatMap((folder) => {
    return readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`)
  })
  return ['CMakeLists.txt', ...files.sort()]
}

function isHostConfigured() {
  return Boolean(JSON.parse(readText(join(ROOT, 'package.json'))).binary?.host)
}

function fetchPrebuilt() {
  const { status } = run(process.execPath, [join(ROOT, 'native/prebuilt.mjs'), 'install'], LOG)
  if (status !== 0) throw new BuildError(`no prebuilt one was fetched (see ${LOG})`)
  checkLoads(ADDON)
  writeFileSync(FINGERPRINT, fingerprint())
}

function readText(file) {
  return readFileSync(file, 'utf8')
}
