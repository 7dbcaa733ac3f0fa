import { execFileSync } from 'node:child_process'
import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadNative } from '../../src/native/load.ts'
import { bodyOf, catalogueOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

t.test('names that start with a dot are not served, but for /.well-known/', async (t) => {
  const dir = await writeTree(temporaryFolder(t), {
    '.env': 'secret',
    '.git/config': 'secret',
    'sub/.htpasswd': 'secret',
    'sub/.hidden/a.txt': 'secret',
    'sub/.well-known/a.txt': 'secret',
    '.well-known/security.txt': 'public',
    '.well-known/acme-challenge/token': 'public',
    '.well-known/.secret': 'secret',
    '.well-knownish/a': 'secret',
  })
  const { catalogue, log } = await catalogueOf(t, dir)
  t.strictSame([...catalogue.paths()].sort(), [
    '/.well-known/acme-challenge/token',
    '/.well-known/security.txt',
  ])
  t.strictSame(log, [])
  const mounted = await catalogueOf(t, dir, { mounts: [{ dir, prefix: '/static' }] })
  t.strictSame([...mounted.catalogue.paths()], [], '/static/.well-known/ means nothing')
})

for (const native of [loadNative(), loadNative('off')]) {
  t.test(`links that lead out of the folder are refused (${native.kind})`, async (t) => {
    const base = temporaryFolder(t)
    await writeTree(join(base, 'outside'), { 'secret.txt': 'secret', 'd/x.txt': 'secret' })
    await writeTree(join(base, 'site-other'), { 'x.txt': 'secret' })
    const dir = await writeTree(join(base, 'site'), { 'real/a.txt': 'a' })
    symlinkSync('../outside/secret.txt', join(dir, 'file-out'))
    symlinkSync(join(base, 'outside/secret.txt'), join(dir, 'file-out-absolute'))
    symlinkSync('../outside', join(dir, 'folder-out'))
    symlinkSync('/proc/self/environ', join(dir, 'environ'))
    symlinkSync('../site-other', join(dir, 'same-start'))
    symlinkSync('../../outside/d', join(dir, 'real/nested-out'))
    symlinkSync('nowhere', join(dir, 'dangling'))
    symlinkSync('real/a.txt', join(dir, 'inside.txt'))
    symlinkSync('real', join(dir, 'inside-folder'))
    const { catalogue, log } = await catalogueOf(t, dir, { native })
    t.strictSame([...catalogue.paths()].sort(), [
      '/inside-folder/a.txt',
      '/inside.txt',
      '/real/a.txt',
    ])
    t.equal(bodyOf(catalogue.lookup('/inside-folder/a.txt')), 'a')
    const leading = log.filter((line) => line.endsWith('it is a link that leads out of the folder'))
    t.equal(log.length, 8, 'each once, and by each way to it')
    t.equal(leading.length, 7)
    t.match(log.join('\n'), /dangling" is not served: ENOENT/)
    await catalogue.refresh()
    t.equal(log.length, 8, 'refresh does not repeat a warning')
  })

  t.test(`links in a circle end, and all else is served (${native.kind})`, async (t) => {
    const dir = await writeTree(temporaryFolder(t), { 'a/x.txt': 'x', 'b/y.txt': 'y' })
    symlinkSync('loop', join(dir, 'loop'))
    symlinkSync('pong', join(dir, 'ping'))
    symlinkSync('ping', join(dir, 'pong'))
    symlinkSync('.', join(dir, 'self'))
    symlinkSync('..', join(dir, 'a/up'))
    symlinkSync('../b', join(dir, 'a/to-b'))
    symlinkSync('../a', join(dir, 'b/to-a'))
    const { catalogue, log } = await catalogueOf(t, dir, { native })
    t.strictSame([...catalogue.paths()].sort(), [
      '/a/to-b/y.txt',
      '/a/x.txt',
      '/b/to-a/x.txt',
      '/b/y.txt',
    ])
    t.match(log.join('\n'), /loop" is not served: ELOOP/)
    t.match(log.join('\n'), /a\/up" is not served: it is a link back to a folder that it lies in/)
  })

  t.test(`pipes, and links to them, are not read (${native.kind})`, async (t) => {
    const dir = await writeTree(temporaryFolder(t), { 'a.txt': 'a' })
    execFileSync('mkfifo', [join(dir, 'pipe')])
    symlinkSync('pipe', join(dir, 'to-pipe'))
    const { catalogue } = await catalogueOf(t, dir, { native })
    t.strictSame([...catalogue.paths()], ['/a.txt'])
  })
}

t.test('a folder that is swapped for a link to outside gives nothing away', async (t) => {
  const base = temporaryFolder(t)
  await writeTree(join(base, 'outside'), { 'secret.txt': 'secret' })
  const dir = await writeTree(join(base, 'site'), { 'd/secret.txt': 'public' })
  let isSwapped = false
  const real = loadNative()
  const { catalogue } = await catalogueOf(t, dir, {
    native: {
      ...real,
      // At the worst moment: after the walk has looked, before the file is opened.
      openBeneath(root, path) {
        if (!isSwapped) {
          isSwapped = true
          rmSync(join(dir, 'd'), { recursive: true })
          symlinkSync('../outside', join(dir, 'd'))
        }
        return real.openBeneath(root, path)
      },
    },
  })
  t.equal(isSwapped, true)
  t.strictSame([...catalogue.paths()], [])
})

t.test('a file that cannot be read is named in a warning and left out', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'good.txt': 'a', 'bad.txt': 'b' })
  const real = loadNative()
  const { catalogue, log } = await catalogueOf(t, dir, {
    native: {
      ...real,
      // root is stopped by no mode, so the refusal of the system is played.
      openBeneath(root, path) {
        if (path === 'bad.txt') throw Object.assign(new Error('EACCES: no'), { code: 'EACCES' })
        return real.openBeneath(root, path)
      },
    },
  })
  t.strictSame([...catalogue.paths()], ['/good.txt'])
  t.strictSame(log, [`uwas: warning: "${dir}/bad.txt" is not served: EACCES: no`])
})

t.test('the folder itself may be a link', async (t) => {
  const base = temporaryFolder(t)
  await writeTree(join(base, 'releases/1'), { 'a.txt': 'one' })
  await writeTree(join(base, 'releases/2'), { 'a.txt': 'two' })
  const current = join(base, 'current')
  symlinkSync('releases/1', current)
  const { catalogue } = await catalogueOf(t, current)
  t.equal(bodyOf(catalogue.lookup('/a.txt')), 'one')
  rmSync(current)
  symlinkSync('releases/2', current)
  await catalogue.refresh()
  t.equal(bodyOf(catalogue.lookup('/a.txt')), 'two')
})
