import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { Catalogue } from '../../src/files/catalogue.ts'
import { Deployments } from '../../src/files/deployments.ts'
import { addFingerprint, splitFingerprint } from '../../src/files/fingerprint.ts'
import {
  bodyOf,
  catalogueOf,
  etagOf,
  headOf,
  temporaryFolder,
  writeTree,
} from '../support/catalogue.ts'

const HASH = '3f2a91c0'.padEnd(32, '0')
const IMMUTABLE = 'Cache-Control: public, max-age=31536000, immutable'

async function textAt(catalogue: Catalogue, path: string): Promise<string | undefined> {
  const bytes = await catalogue.lookup(path)?.ok.content?.load()
  return bytes === undefined ? undefined : Buffer.from(bytes).toString()
}

t.test('a fingerprint stands before the ending, or at the end', async (t) => {
  const cases = [
    ['/app.css', '/app.3f2a91c0.css'],
    ['/a.b/app', '/a.b/app.3f2a91c0'],
    ['/x/a.tar.gz', '/x/a.tar.3f2a91c0.gz'],
    ['/.well-known/x.txt', '/.well-known/x.3f2a91c0.txt'],
    ['/a.', '/a.3f2a91c0.'],
  ] as const
  for (const [path, made] of cases) {
    t.equal(addFingerprint(path, HASH), made)
    t.strictSame(splitFingerprint(made), { path, fingerprint: '3f2a91c0' })
  }
  for (const path of ['/', '/a', '/a.css', '/a.3f2a91c.css', '/a.3F2A91C0.css', '/.3f2a91c0']) {
    t.equal(splitFingerprint(path), null, path)
  }
})

t.test('every path gets its own back', async () => {
  const name = fc.stringMatching(/^[a-z0-9%~-][a-z0-9.%~-]{0,12}$/)
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
  fc.assert(fc.property(path, (one) => splitFingerprint(addFingerprint(one, HASH))?.path === one))
})

t.test('a file answers at its fingerprinted URL, for good; at its own as before', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'css/app.css': 'body{}' })
  const { catalogue } = await catalogueOf(t, dir, {
    mounts: [{ dir, prefix: '/static' }],
  })
  const url = `/static/css/app.${etagOf('body{}').slice(1, 9)}.css`
  t.equal(catalogue.staticUrl('css/app.css'), url)
  t.equal(catalogue.staticUrl('/static/css/app.css'), url)
  t.equal(catalogue.staticUrl('css/app.css?x#y'), `${url}?x#y`)
  t.equal(catalogue.staticUrl('css/app.css', false), '/static/css/app.css')
  for (const wrong of [
    'app.css',
    '/css/app.css',
    '../css/app.css',
    '',
    '/',
    '//css/app.css',
    'css',
  ]) {
    t.equal(catalogue.staticUrl(wrong), undefined, wrong)
  }
  const entry = catalogue.lookup(url)
  t.equal(bodyOf(entry), 'body{}')
  t.equal(entry?.etag, etagOf('body{}'))
  for (const reply of [entry?.ok, entry?.notModified]) t.match(headOf(reply), IMMUTABLE)
  t.match(headOf(entry?.ok), 'Content-Type: text/css; charset=utf-8')
  t.equal(catalogue.lookup(url), entry, 'one entry for all')
  t.match(headOf(catalogue.lookup('/static/css/app.css')?.ok), 'Cache-Control: no-cache')
})

t.test('a wrong fingerprint finds nothing', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'app.css': 'body{}', 'dir/index.html': 'x' })
  const { catalogue } = await catalogueOf(t, dir)
  for (const path of ['/app.00000000.css', '/nothing.00000000.css', '/app.css.00000000']) {
    t.equal(catalogue.lookup(path), undefined, path)
  }
  const right = etagOf('body{}').slice(1, 9)
  t.equal(catalogue.lookup(`/dir/app.${right}.css`), undefined)
  t.equal(catalogue.lookup(`/app.${right}.js`), undefined)
})

t.test('a file that is really called so goes before', async (t) => {
  const fingerprinted = `app.${etagOf('one').slice(1, 9)}.css`
  const dir = await writeTree(temporaryFolder(t), { 'app.css': 'one', [fingerprinted]: 'two' })
  const { catalogue } = await catalogueOf(t, dir)
  t.equal(bodyOf(catalogue.lookup(`/${fingerprinted}`)), 'two')
  t.match(headOf(catalogue.lookup(`/${fingerprinted}`)?.ok), 'Cache-Control: no-cache')
})

t.test('a file above the ceiling keeps its plain URL', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'film.bin': 'x'.repeat(100) })
  const { catalogue } = await catalogueOf(t, dir, { ceilingBytes: 10 })
  t.equal(catalogue.staticUrl('film.bin'), '/film.bin')
})

t.test('after a change the old URL still has the old bytes, over a restart too', async (t) => {
  const base = temporaryFolder(t)
  const dir = await writeTree(join(base, 'site'), { 'app.css': 'one', 'gone.css': 'gone' })
  const storeDir = join(base, 'objects')
  const first = (await catalogueOf(t, dir, { storeDir })).catalogue
  const old = first.staticUrl('app.css') as string
  const gone = first.staticUrl('gone.css') as string
  await writeTree(dir, { 'app.css': 'two' })
  rmSync(join(dir, 'gone.css'))
  await first.refresh()
  const check = async (catalogue: Catalogue) => {
    t.not(catalogue.staticUrl('app.css'), old)
    t.equal(await textAt(catalogue, old), 'one')
    t.equal(catalogue.lookup(old)?.etag, etagOf('one'))
    t.match(headOf(catalogue.lookup(old)?.ok), IMMUTABLE)
    t.equal(await textAt(catalogue, catalogue.staticUrl('app.css') as string), 'two')
    t.equal(await textAt(catalogue, '/app.css'), 'two')
    t.equal(catalogue.lookup('/gone.css'), undefined)
    t.equal(await textAt(catalogue, gone), 'gone')
  }
  await check(first)
  await first.close()
  const second = (await catalogueOf(t, dir, { storeDir })).catalogue
  await check(second)
  await second.close()
  await writeTree(dir, { 'app.css': 'three' })
  const third = (await catalogueOf(t, dir, { storeDir })).catalogue
  t.equal(await textAt(third, old), 'one')
  t.equal(await textAt(third, '/app.css'), 'three', 'changed while no server ran')
})

t.test('an old version whose object is lost is 404', async (t) => {
  const base = temporaryFolder(t)
  const dir = await writeTree(join(base, 'site'), { 'app.css': 'one' })
  const storeDir = join(base, 'objects')
  const before = (await catalogueOf(t, dir, { storeDir })).catalogue
  const old = before.staticUrl('app.css') as string
  await before.close()
  await writeTree(dir, { 'app.css': 'two' })
  const { catalogue } = await catalogueOf(t, dir, { storeDir })
  for (const name of readdirSync(storeDir)) {
    if (/^[0-9a-f]{2}$/.test(name)) rmSync(join(storeDir, name), { recursive: true })
  }
  await t.rejects(textAt(catalogue, old), {
    code: 'UWAS_ERR_FILES_GONE',
    message: `${old} is no longer there`,
  })
  t.equal(catalogue.lookup(old), undefined, 'and is looked for no more')
})

const version = (digit: string) => ({ hash: digit.repeat(32), size: 1, lastModifiedMs: 0 })

t.test('versions answer for as many deployments as are kept', async (t) => {
  const manifest = join(temporaryFolder(t), 'manifest-x.json')
  const deployments = await Deployments.open(manifest, 2)
  const HOUR = 3_600_000
  deployments.replaced([['/a', version('1')]], HOUR)
  deployments.replaced([['/a', version('2')]], 2 * HOUR)
  t.equal(deployments.find('/a', '11111111')?.size, 1)
  t.equal(deployments.find('/a', '22222222')?.size, 1)
  t.equal(deployments.find('/a', '33333333'), undefined)
  t.equal(deployments.find('/b', '11111111'), undefined)
  deployments.replaced([['/b', version('5')]], 3 * HOUR)
  t.equal(deployments.find('/a', '11111111'), undefined, 'three deployments ago')
  t.equal(deployments.find('/a', '22222222')?.size, 1)
  await deployments.save(new Map([['/a', version('3')]]))
  const again = await Deployments.open(manifest, 2)
  t.equal(again.find('/a', '22222222')?.size, 1)
  again.resume(new Map([['/a', version('4')]]), 4 * HOUR)
  t.equal(again.find('/a', '33333333')?.size, 1, 'changed while no server ran')
  t.equal(again.find('/a', '22222222'), undefined)
})

t.test('changes that follow one another are one deployment, of bounded memory', async (t) => {
  const deployments = await Deployments.open(join(temporaryFolder(t), 'manifest-x.json'), 1)
  for (let i = 0; i < 100; i++) {
    deployments.replaced([['/a', version((i % 16).toString(16))]], 1e9 + i * 1000)
  }
  deployments.replaced([['/b', version('1')]], 2e9)
  const kept = [...'0123456789abcdef'].filter((digit) => deployments.find('/a', digit.repeat(8)))
  t.equal(kept.length, 16)
})

t.test('a damaged file of deployments is ignored, and so is one of another version', async (t) => {
  const dir = temporaryFolder(t)
  const texts = [
    '{',
    '[]',
    '{"version":2}',
    '{"version":1,"number":1,"changedAt":0,"current":[["/a","short",1,1]],"old":[]}',
    '{"version":1,"number":1,"changedAt":0,"current":[],"old":[[1,2,3,4,5]]}',
    '{"version":1,"number":"x","changedAt":0,"current":[],"old":[]}',
  ]
  for (const text of texts) {
    await writeTree(dir, { 'deployments-x.json': text })
    const deployments = await Deployments.open(join(dir, 'manifest-x.json'), 3)
    t.equal(deployments.find('/a', 'short'), undefined, text)
  }
})

t.test('with no deployments to keep, only the present fingerprint answers', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'app.css': 'one' })
  const { catalogue } = await catalogueOf(t, dir, { deployments: 0 })
  const old = catalogue.staticUrl('app.css') as string
  t.equal(bodyOf(catalogue.lookup(old)), 'one')
  await writeTree(dir, { 'app.css': 'two' })
  await catalogue.refresh()
  t.equal(catalogue.lookup(old), undefined)
})
