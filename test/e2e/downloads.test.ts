/** What others fetch a served folder with gets it byte for byte, also when it goes on with a part: apt, wget, curl, git. */
import { execFile, execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { folder, serve } from '../support/binary.ts'
import { missing } from '../support/programs.ts'

t.setTimeout(120_000)

/** More of each than a kernel takes at once. */
const PACKAGE_BYTES = 6 * 1024 * 1024
const PACKAGES = 12
const runFile = promisify(execFile)

/** Nothing of the machine's settings: neither a proxy, nor a user's own configuration. */
function run(program: string, args: readonly string[], cwd: string, env = {}) {
  const { PATH = '' } = process.env
  const own = { PATH, HOME: cwd, LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', ...env }
  return runFile(program, args, { cwd, env: own, timeout: 100_000 })
}

async function served(t: Parameters<typeof serve>[0], root: string): Promise<string> {
  const { port } = await serve(t, ['serve', root, '--port', '0'])
  return `http://127.0.0.1:${port}`
}

/** A flat repository in `root`: apt looks at nothing inside of a package that it only downloads. */
function makeRepository(root: string): Map<string, Buffer> {
  const packages = new Map<string, Buffer>()
  const index: string[] = []
  for (let i = 0; i < PACKAGES; i++) {
    const name = `uwas-test-${i}`
    const bytes = randomBytes(PACKAGE_BYTES)
    packages.set(name, bytes)
    writeFileSync(join(root, `${name}_1.0_all.deb`), bytes)
    index.push(
      [
        `Package: ${name}`,
        'Version: 1.0',
        'Architecture: all',
        'Maintainer: nobody <nobody@example.org>',
        `Filename: ./${name}_1.0_all.deb`,
        `Size: ${bytes.length}`,
        `SHA256: ${createHash('sha256').update(bytes).digest('hex')}`,
        'Description: bytes',
        '',
      ].join('\n'),
    )
  }
  writeFileSync(join(root, 'Packages'), index.join('\n'))
  return packages
}

/** An apt of its own, with everything that it keeps in `home`; the system's configuration is not read. */
function makeApt(home: string, origin: string): Record<string, string> {
  for (const dir of [
    'state/lists/partial',
    'cache/archives/partial',
    'etc/parts',
    'etc/preferences.d',
    'log',
  ]) {
    mkdirSync(join(home, dir), { recursive: true })
  }
  writeFileSync(join(home, 'status'), '')
  writeFileSync(join(home, 'etc/sources.list'), `deb [trusted=yes] ${origin}/ ./\n`)
  const file = join(home, 'apt.conf')
  const lines = [
    `Dir::State "${home}/state";`,
    `Dir::State::status "${home}/status";`,
    `Dir::Cache "${home}/cache";`,
    `Dir::Log "${home}/log";`,
    `Dir::Etc "${home}/etc";`,
    `Dir::Etc::parts "${home}/etc/parts";`,
    `Dir::Etc::trustedparts "${home}/etc/parts";`,
    'APT::Sandbox::User "";',
    'Acquire::Languages "none";',
    'Acquire::Retries "0";',
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return { APT_CONFIG: file }
}

t.test(
  'apt-get, which pipelines, downloads packages in one try',
  { skip: missing('apt-get', 'apt') },
  async (t) => {
    const root = folder(t, {})
    const packages = makeRepository(root)
    const home = folder(t, {})
    const apt = makeApt(home, await served(t, root))
    const update = await run('apt-get', ['update'], home, apt)
    t.notMatch(update.stderr, /^[EW]:/m)
    const got = await run('apt-get', ['download', ...packages.keys()], home, apt)
    t.notMatch(got.stderr, /^[EW]:/m)
    for (const [name, bytes] of packages) {
      t.ok(readFileSync(join(home, `${name}_1.0_all.deb`)).equals(bytes), name)
    }
  },
)

const PARTS = [
  { program: 'wget', args: ['-c', '-nv', '-t', '1', '-O', 'a.bin'] },
  { program: 'curl', args: ['-sSf', '-C', '-', '-o', 'a.bin'] },
]

for (const { program, args } of PARTS) {
  const skip = missing(program, program)
  t.test(`${program} goes on with a file of which it has a part`, { skip }, async (t) => {
    const bytes = randomBytes(PACKAGE_BYTES)
    const root = folder(t, {})
    writeFileSync(join(root, 'a.bin'), bytes)
    const origin = await served(t, root)
    for (const has of [0, 1, 1_000_000, bytes.length - 1]) {
      const home = folder(t, {})
      // What it has is told from what it gets.
      const part = Buffer.alloc(has, 'x')
      writeFileSync(join(home, 'a.bin'), part)
      await run(program, [...args, `${origin}/a.bin`], home)
      const got = readFileSync(join(home, 'a.bin'))
      t.ok(got.equals(Buffer.concat([part, bytes.subarray(has)])), `from ${has}`)
    }
  })
}

t.test(
  'git clones a repository that lies in a folder',
  { skip: missing('git', 'git') },
  async (t) => {
    const root = folder(t, {})
    const home = folder(t, {})
    const git = async (...args: string[]) => (await run('git', args, home)).stdout.trim()
    await git('init', '-q', '-b', 'main', 'work')
    const big = randomBytes(PACKAGE_BYTES)
    const commit = async (name: string, content: string | Buffer) => {
      writeFileSync(join(home, 'work', name), content)
      await git('-C', 'work', 'add', '.')
      const who = ['-c', 'user.name=nobody', '-c', 'user.email=nobody@example.org']
      await git('-C', 'work', ...who, 'commit', '-q', '-m', name)
    }
    await commit('big.bin', big)
    for (let i = 0; i < 5; i++) await commit(`${i}.txt`, `${i}\n`)
    const bare = join(root, 'work.git')
    await git('clone', '-q', '--bare', 'work', bare)
    execFileSync('git', ['-C', bare, 'update-server-info'])
    const origin = await served(t, root)
    await git('clone', '-q', `${origin}/work.git`, 'copy')
    t.equal(
      await git('-C', 'copy', 'rev-parse', 'HEAD'),
      await git('-C', 'work', 'rev-parse', 'HEAD'),
    )
    t.ok(readFileSync(join(home, 'copy/big.bin')).equals(big))
    await git('-C', 'copy', 'fsck', '--strict')
  },
)
