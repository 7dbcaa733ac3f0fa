/** A catalogue over real folders, for tests of static files: what it logs and answers is kept. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { createLog } from '../../src/core/log.ts'
import type { FileFields } from '../../src/files/answer.ts'
import {
  type Catalogue,
  type CatalogueOptions,
  createCatalogue,
} from '../../src/files/catalogue.ts'
import type { FileEntry, Prepared } from '../../src/files/entry.ts'
import { memorySource, SegmentedBody } from '../../src/files/segments.ts'
import { loadNative } from '../../src/native/load.ts'

export interface TestCatalogue {
  readonly catalogue: Catalogue
  readonly log: string[]
}

/** An empty folder of its own, removed after the test. */
export function temporaryFolder(t: Test, parent: string = tmpdir()): string {
  const dir = realpathSync(mkdtempSync(join(parent, 'uwas-files-')))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Writes files by their relative paths and waits until their time stamps lie in the past. */
export async function writeTree(
  dir: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  mkdirSync(dir, { recursive: true })
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
  await sleep(40)
  return dir
}

/** The catalogue of one folder at `/`, unless `options` say otherwise; closed after the test. */
export async function catalogueOf(
  t: Test,
  dir: string,
  options: Partial<CatalogueOptions> = {},
): Promise<TestCatalogue> {
  const log: string[] = []
  const catalogue = await createCatalogue({
    mounts: [{ dir, prefix: '/' }],
    storeDir: join(temporaryFolder(t), 'objects'),
    native: loadNative(),
    log: createLog((line) => log.push(line)),
    ...options,
  })
  t.teardown(() => catalogue.close())
  return { catalogue, log }
}

export function bodyOf(entry: FileEntry | undefined): string {
  if (entry?.ok.content?.bytes == null) throw new Error('no stored file')
  return Buffer.from(entry.ok.content.bytes).toString()
}

export function headOf(prepared: Prepared | undefined): string {
  if (prepared === undefined) throw new Error('no entry')
  return Buffer.from(prepared.head).toString('latin1')
}

/** Strong tag that the content has to have. */
export function etagOf(content: string | Uint8Array): string {
  return `"${createHash('sha256').update(content).digest('hex').slice(0, 32)}"`
}

/** A request's fields as `answer` wants them. */
export function fieldsOf(fields: Partial<FileFields> = {}): FileFields {
  return {
    ifMatch: '',
    ifNoneMatch: '',
    ifModifiedSince: '',
    ifUnmodifiedSince: '',
    ifRange: '',
    range: '',
    acceptEncoding: '',
    ...fields,
  }
}

/** What a GET would be sent, as one string of bytes. */
export async function sentOf(prepared: Prepared): Promise<string> {
  const { content, segments, open, length } = prepared
  const source = content === null ? open?.() : memorySource(await content.load())
  const whole = [{ bytes: null, start: 0, end: length }]
  const none = memorySource(new ArrayBuffer(0))
  const body = new SegmentedBody(segments ?? whole, source ?? none)
  const parts: Buffer[] = []
  for (let at = 0; at < length; at += parts.at(-1)?.byteLength ?? 0) {
    parts.push(Buffer.from((await body.read(at, 64 * 1024)) ?? []))
    body.release()
  }
  body.close()
  return Buffer.concat(parts).toString('latin1')
}
