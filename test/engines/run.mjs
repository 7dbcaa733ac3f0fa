/**
 * `npm run test:engines [-- TEST FILES]`: the suite on the newer engine build, which needs glibc 2.38: in a
 * Debian 13 root made by debootstrap, with Node 24 from the npm package `node`. Everything is kept in
 * build/engines, so that only the first run takes long. Linux, as root; uses Debian's mirror and npm's registry
 * as this machine has them. `UWAS_UPDATE=1` brings CONFORMANCE.md back.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(SOURCE, 'build', 'engines')
const ROOT = join(FOLDER, 'trixie')
/** The copy of this repository, inside of the root. */
const COPY = join(ROOT, 'uwas')
const NODE_VERSION = '24'

/** Without what needs a browser, and without PostgreSQL's half, which no engine touches. */
const LEFT_OUT = ['e2e', 'model']
const DEFAULT_TESTS = readdirSync(join(SOURCE, 'test'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !LEFT_OUT.includes(entry.name))
  .map(({ name }) => `test/${name}/**/*.test.ts`)

try {
  makeRoot()
  const node = installNode()
  copySource()
  installPackages(node)
  const tests = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT_TESTS
  process.exitCode = runTests(tests)
} catch (error) {
  console.error(`uwas: the suite did not run on the newer engine: ${error.message}`)
  process.exitCode = 1
}

/** Renamed into place when it is whole. */
function makeRoot() {
  if (existsSync(ROOT)) return
  if (process.getuid?.() !== 0) throw new Error('only root can make a Debian root')
  const unfinished = `${ROOT}.new`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  const packages = '--include=ca-certificates,libatomic1,libstdc++6,tzdata'
  console.log('making a Debian 13 root in build/engines')
  run('debootstrap', ['--variant=minbase', packages, 'trixie', unfinished, findMirror()])
  // The smallest root does not know its own name.
  writeFileSync(join(unfinished, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n')
  renameSync(unfinished, ROOT)
}

/** The first mirror that apt is told of. */
function findMirror() {
  const folder = '/etc/apt/sources.list.d'
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
  for (const file of ['/etc/apt/sources.list', ...files]) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const [, uri] = /^(?:URIs:|deb(?: \[[^\]]*\])?) *(https?:\S+)/m.exec(text) ?? []
    if (uri !== undefined) return uri
  }
  throw new Error('apt has no mirror from which a root could be made')
}

/** Path of the binary, on this machine; it runs here, too. */
function installNode() {
  const folder = join(FOLDER, 'node')
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    run('npm', ['install', '--prefix', folder, `node@${NODE_VERSION}`])
  }
  copyFileSync(binary, join(ROOT, 'usr', 'bin', 'node'))
  return binary
}

/** What git knows of or would take, and the addon, which is the same for every Node. */
function copySource() {
  const { stdout } = run('git', ['-C', SOURCE, 'ls-files', '-z', '-co', '--exclude-standard'])
  for (const file of readdirSync(ROOT).includes('uwas') ? readdirSync(COPY) : [])
    if (file !== 'node_modules') rmSync(join(COPY, file), { recursive: true })
  for (const file of stdout.split('\0').filter((name) => name !== '' && name !== 'node_modules')) {
    if (!existsSync(join(SOURCE, file))) continue
    mkdirSync(dirname(join(COPY, file)), { recursive: true })
    copyFileSync(join(SOURCE, file), join(COPY, file))
  }
  for (const made of ['build/addon', 'dist'])
    if (existsSync(join(SOURCE, made)))
      cpSync(join(SOURCE, made), join(COPY, made), { recursive: true })
}

/** npm picks the engine's binary by the Node that runs it. */
function installPackages(node) {
  const lock = createHash('sha256').update(readFileSync(join(SOURCE, 'package-lock.json')))
  const stamp = join(COPY, 'node_modules', '.uwas-lock')
  const wanted = lock.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const npm = run('npm', ['root', '--global']).stdout.trim()
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` }
  run(node, [join(npm, 'npm', 'bin', 'npm-cli.js'), 'ci'], { cwd: COPY, env })
  writeFileSync(stamp, wanted)
}

/**
 * In a mount namespace of its own: nothing stays mounted when it ends. Its root is exchanged instead of
 * entered by chroot, behind which the kernel gives no user namespace, and PostgreSQL wants one.
 */
function runTests(tests) {
  const inside = [
    'umount -l /.old && cd /uwas',
    'node -e "require(\'uws-20-69\')"',
    'echo "Node $(node --version), uWebSockets.js of uws-20-69"',
    `exec node_modules/.bin/tap --disable-coverage --reporter=${process.stdout.isTTY ? 'terse' : 'tap'} "$@"`,
  ].join(' && ')
  const script = [
    `mount --bind '${ROOT}' '${ROOT}' && mkdir -p '${ROOT}/.old'`,
    `mount --rbind /dev '${ROOT}/dev'`,
    `mount -t proc proc '${ROOT}/proc'`,
    `mount -t tmpfs tmpfs '${ROOT}/tmp'`,
    `cd '${ROOT}' && pivot_root . .old`,
    `exec chroot . /usr/bin/env -i "UWAS_UPDATE=$UWAS_UPDATE" HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "$0" tap "$@"`,
  ].join(' && ')
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, inside, ...tests]
  const env = { ...process.env, UWAS_UPDATE: process.env.UWAS_UPDATE ?? '' }
  const { status } = spawnSync('unshare', args, { stdio: 'inherit', env })
  if (process.env.UWAS_UPDATE === '1') {
    copyFileSync(join(COPY, 'CONFORMANCE.md'), join(SOURCE, 'CONFORMANCE.md'))
  }
  return status ?? 1
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26, ...options })
  if (result.error) throw new Error(`${command} cannot be run: ${result.error.message}`)
  if (result.status !== 0) {
    const output = `${result.stdout}${result.stderr}`.split('\n').slice(-20).join('\n')
    throw new Error(`${command} ${args.join(' ')} failed:\n${output}`)
  }
  return result
}
