/**
 * The shared case list of `mapFile` and `openBeneath`: `addon.test.ts` and `stand-in.test.ts` run it,
 * each on its own implementation, with the same expectations to the letter.
 */
import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { MAX_MAP_BYTES, type Native } from '../../src/native/skin.ts'
import {
  asNobody,
  countOpenFiles,
  denied,
  isFolderBeneath,
  leadsOut,
  loop,
  makeFifo,
  noEntry,
  notFolder,
  nul,
  openFlags,
  refusals,
  startSwapper,
  TREE,
  textBeneath,
  textOf,
  tooLong,
  withSocket,
} from './support.ts'

/** O_CLOEXEC of Linux (open(2)); `fs.constants` does not have it. */
const O_CLOEXEC = 0o2000000

/** Runs every case on `native`. */
export function runCases(t: Test, native: Native): void {
  mapFileCases(t, native)
  mapFileRefusals(t, native)
  openBeneathCases(t, native)
  openBeneathRefusals(t, native)
  misuse(t, native)
}

function mapFileCases(t: Test, native: Native): void {
  t.test('mapFile gives the whole file as an ArrayBuffer, whatever its size', async (t) => {
    for (const size of [0, 1, 4095, 4096, 4097, 5 * 1024 * 1024]) {
      const bytes = Buffer.alloc(size, 'uwas-')
      const file = join(t.testdir(), 'file')
      writeFileSync(file, bytes)
      const mapped = native.mapFile(file)
      t.ok(mapped instanceof ArrayBuffer)
      t.equal(mapped.byteLength, size)
      t.ok(bytes.equals(new Uint8Array(mapped)), `the bytes of a file of ${size}`)
    }
  })

  t.test('mapFile keeps the bytes when the file is replaced, then unlinked', async (t) => {
    const dir = t.testdir({ file: 'first', next: 'second and longer' })
    const mapped = native.mapFile(join(dir, 'file'))
    renameSync(join(dir, 'next'), join(dir, 'file'))
    t.equal(textOf(mapped), 'first')
    t.equal(textOf(native.mapFile(join(dir, 'file'))), 'second and longer')
    unlinkSync(join(dir, 'file'))
    t.equal(textOf(mapped), 'first')
  })

  t.test('mapFile follows symbolic links and takes names that are not ASCII', async (t) => {
    const dir = t.testdir({ '글.txt': '안녕', link: t.fixture('symlink', '글.txt') })
    t.equal(textOf(native.mapFile(join(dir, '글.txt'))), '안녕')
    t.equal(textOf(native.mapFile(join(dir, 'link'))), '안녕')
  })

  t.test('mapFile leaves no descriptor open', async (t) => {
    const dir = t.testdir({ file: 'x', folder: {} })
    const before = countOpenFiles()
    for (let i = 0; i < 20; i++) {
      native.mapFile(join(dir, 'file'))
      t.throws(() => native.mapFile(join(dir, 'folder')))
    }
    t.equal(countOpenFiles(), before)
  })
}

function mapFileRefusals(t: Test, native: Native): void {
  t.test('mapFile says why there is nothing to map', async (t) => {
    const dir = t.testdir({ file: 'x', folder: {}, loop: t.fixture('symlink', 'loop') })
    const refused = refusals(t, (path) => native.mapFile(path))
    for (const name of ['missing', 'missing/file']) {
      refused(join(dir, name), 'NOT_FOUND', 404, noEntry)
    }
    refused(`${dir}/file/`, 'NOT_FOUND', 404, notFolder)
    refused('', 'NOT_FOUND', 404, noEntry)
    refused(join(dir, 'loop'), 'LINK_LOOP', 404, loop)
    refused(join(dir, 'n'.repeat(256)), 'PATH', 404, tooLong)
    refused('n/'.repeat(2048), 'PATH', 404, tooLong)
    refused(`${dir}/file\0.txt`, 'PATH', 404, nul)
  })

  t.test('mapFile takes regular files only and does not wait for a FIFO', async (t) => {
    const dir = t.testdir({ folder: {} })
    makeFifo(join(dir, 'fifo'))
    const refused = refusals(t, (path) => native.mapFile(path))
    for (const path of [join(dir, 'folder'), `${dir}/folder/`, join(dir, 'fifo'), '/dev/null']) {
      refused(path, 'NOT_REGULAR', 404, (subject) => `${subject} is not a regular file`)
    }
    await withSocket((folder) => {
      refused(join(folder, 'socket'), 'NOT_REGULAR', 404, (s) => `${s} is not a regular file`)
    })
  })

  t.test('mapFile refuses a file that is larger than its limit', async (t) => {
    const file = join(t.testdir(), 'sparse')
    writeFileSync(file, '')
    truncateSync(file, MAX_MAP_BYTES + 1)
    t.throws(() => native.mapFile(file), {
      name: 'RangeError',
      code: 'UWAS_ERR_NATIVE_TOO_LARGE',
      message: `${JSON.stringify(file)} is larger than 1073741824 bytes, the most that can be mapped`,
    })
  })
}

function openBeneathCases(t: Test, native: Native): void {
  t.test('openBeneath opens files and folders below the root', async (t) => {
    const root = t.testdir(TREE)
    const text = (path: string) => textBeneath(native, root, path)
    t.equal(text('top.txt'), 'top')
    t.equal(text('a/b/deep.txt'), 'deep')
    t.equal(text('./a//b/./deep.txt'), 'deep')
    t.equal(text('a/b/../../top.txt'), 'top')
    t.equal(text('글.txt'), '안녕')
    for (const path of ['.', './', 'a', 'a/', 'a/.', 'a/b/..']) {
      t.ok(isFolderBeneath(native, root, path), `${path} is a folder`)
    }
  })

  t.test('openBeneath follows symbolic links that stay inside', async (t) => {
    const root = t.testdir(TREE)
    symlinkSync('a/b/deep.txt', join(root, 'link'))
    symlinkSync('../../top.txt', join(root, 'a/b/up'))
    symlinkSync('a/b/', join(root, 'folder'))
    symlinkSync('folder/up', join(root, 'twice'))
    t.equal(textBeneath(native, root, 'link'), 'deep')
    t.equal(textBeneath(native, root, 'a/b/up'), 'top')
    t.equal(textBeneath(native, root, 'folder/deep.txt'), 'deep')
    t.equal(textBeneath(native, root, 'twice'), 'top')
    t.ok(isFolderBeneath(native, root, 'folder'))
  })

  t.test('openBeneath takes a root that is reached over a link or ends in a slash', async (t) => {
    const dir = t.testdir({ root: TREE, link: t.fixture('symlink', 'root') })
    t.equal(textBeneath(native, join(dir, 'link'), 'top.txt'), 'top')
    t.equal(textBeneath(native, `${dir}/root/`, 'top.txt'), 'top')
    t.equal(textBeneath(native, '/', join(dir, 'root/top.txt').slice(1)), 'top')
  })

  t.test('openBeneath counts a hard link as inside, as its promise says', async (t) => {
    const dir = t.testdir({ root: {}, file: 'linked' })
    linkSync(join(dir, 'file'), join(dir, 'root/hard'))
    t.equal(textBeneath(native, join(dir, 'root'), 'hard'), 'linked')
  })

  t.test('openBeneath opens for reading and leaves nothing else open', async (t) => {
    const root = t.testdir(TREE)
    const before = countOpenFiles()
    const fd = native.openBeneath(root, 'a/b/deep.txt')
    t.equal(countOpenFiles(), before + 1)
    const flags = openFlags(fd)
    closeSync(fd)
    t.equal(flags & (constants.O_WRONLY | constants.O_RDWR), 0)
    t.equal(flags & O_CLOEXEC, O_CLOEXEC, 'is not inherited by child processes')
    t.throws(() => native.openBeneath(root, 'a/../..'))
    t.throws(() => native.openBeneath(root, 'missing'))
    t.equal(countOpenFiles(), before)
  })
}

function openBeneathRefusals(t: Test, native: Native): void {
  t.test('openBeneath refuses whatever leads out of the root', async (t) => {
    const dir = t.testdir({ root: TREE, 'root-2': { secret: 'secret' }, secret: 'secret' })
    const root = join(dir, 'root')
    for (const [name, target] of [
      ['out', '../secret'],
      ['out-folder', '..'],
      ['sibling', '../root-2/secret'],
      ['there-and-back', '../root/top.txt'],
      ['absolute', join(root, 'top.txt')],
      ['a/far', '../../../../../../../../etc/passwd'],
      ['proc', '/proc/self/root'],
    ] as const) {
      symlinkSync(target, join(root, name))
    }
    const refused = refusals(t, (path) => native.openBeneath(root, path), root)
    for (const path of [
      ...['..', '../secret', '../root/top.txt', 'a/../../secret', '/', '/etc/passwd'],
      ...['out', 'out-folder', 'out-folder/secret', 'sibling', 'there-and-back'],
      ...['absolute', 'a/far', 'proc/etc/passwd', join(root, 'top.txt')],
    ]) {
      refused(path, 'OUTSIDE', 404, leadsOut)
    }
  })

  t.test('openBeneath says why nothing is there', async (t) => {
    const root = t.testdir(TREE)
    symlinkSync('nowhere', join(root, 'dangling'))
    symlinkSync('loop', join(root, 'loop'))
    const refused = refusals(t, (path) => native.openBeneath(root, path), root)
    for (const path of ['', 'missing', 'missing/..', 'a/missing/deep.txt', 'dangling']) {
      refused(path, 'NOT_FOUND', 404, noEntry)
    }
    for (const path of ['top.txt/', 'top.txt/.', 'top.txt/..', 'top.txt/x']) {
      refused(path, 'NOT_FOUND', 404, notFolder)
    }
    refused('loop', 'LINK_LOOP', 404, loop)
    refused('n'.repeat(256), 'PATH', 404, tooLong)
    refused('n/'.repeat(2048), 'PATH', 404, tooLong)
    refused('top.txt\0.png', 'PATH', 404, nul)
  })

  t.test('openBeneath takes regular files and folders only, without waiting', async (t) => {
    const root = t.testdir({})
    makeFifo(join(root, 'fifo'))
    const notUsable = (subject: string) => `${subject} is not a regular file or a folder`
    const check = (folder: string, path: string) => {
      const refused = refusals(t, (path) => native.openBeneath(folder, path), folder)
      refused(path, 'NOT_REGULAR', 404, notUsable)
    }
    check(root, 'fifo')
    check('/dev', 'null')
    await withSocket((folder) => check(folder, 'socket'))
  })

  t.test('openBeneath tells a bad root from a bad path', async (t) => {
    const dir = t.testdir({ file: 'x' })
    for (const [root, reason] of [
      [join(dir, 'missing'), 'ENOENT: no such file or directory'],
      ['', 'ENOENT: no such file or directory'],
      [join(dir, 'file'), 'ENOTDIR: not a directory'],
      [`${dir}\0`, 'it contains a NUL character'],
    ] as const) {
      t.throws(() => native.openBeneath(root, 'x'), {
        code: 'UWAS_ERR_NATIVE_ROOT',
        status: 500,
        message: `${JSON.stringify(root)} cannot be opened as a root folder (${reason})`,
      })
    }
  })

  t.test(
    'a folder that is swapped for a link that leads out never gives the outside',
    async (t) => {
      const dir = t.testdir({ root: { swap: { file: 'inside' } }, outside: { file: 'outside' } })
      const swapper = await startSwapper(join(dir, 'root/swap'), join(dir, 'swapper'), '../outside')
      const seen = { inside: 0, outside: 0, refused: 0 }
      for (let i = 0; i < 100_000 && (seen.inside < 200 || seen.refused < 200); i++) {
        const text = textOrCode(native, join(dir, 'root'), 'swap/file')
        seen[text === 'inside' || text === 'outside' ? text : 'refused']++
      }
      await swapper.stop()
      t.equal(seen.outside, 0, 'the outside was never reached')
      t.ok(seen.inside > 0 && seen.refused > 0, 'both states were met')
    },
  )
}

function textOrCode(native: Native, root: string, path: string): string {
  try {
    return textBeneath(native, root, path)
  } catch (error) {
    return (error as { code: string }).code
  }
}

function misuse(t: Test, native: Native): void {
  t.test('an argument that is not a string is a TypeError that names it', async (t) => {
    const calls = native as unknown as Record<string, (...values: unknown[]) => void>
    const refused = (call: string, values: unknown[], name: string, value: string) => {
      const message = `${call}: ${name} must be a string, not ${value}`
      const expected = { name: 'TypeError', code: 'UWAS_ERR_NATIVE_ARGUMENT', message }
      t.throws(() => calls[call]?.(...values), expected)
    }
    refused('mapFile', [], 'path', 'undefined')
    refused('mapFile', [7], 'path', '7')
    refused('mapFile', [null], 'path', 'null')
    refused('openBeneath', [{}, 'x'], 'root', '{}')
    refused('openBeneath', ['/', ['x']], 'path', "[ 'x' ]")
  })

  t.test('what this process may not read is denied', async (t) => {
    const root = t.testdir({ secret: 'secret', closed: { file: 'x' } })
    chmodSync(join(root, 'secret'), 0)
    chmodSync(join(root, 'closed'), 0)
    asNobody(() => {
      refusals(t, (path) => native.mapFile(path))(join(root, 'secret'), 'DENIED', 403, denied)
      const beneath = refusals(t, (path) => native.openBeneath(root, path), root)
      for (const path of ['secret', 'closed', 'closed/file']) beneath(path, 'DENIED', 403, denied)
    })
    chmodSync(join(root, 'closed'), 0o700)
  })
}
