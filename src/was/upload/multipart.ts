/**
 * A form with files, the files saved as they arrive: `multipart(req)`. They lie in a folder of their
 * request, which goes when its reply has left, its client has gone, or something went wrong on the way.
 */
import { createWriteStream } from 'node:fs'
import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { handled } from '../../core/handled.ts'
import type { ServiceKey } from '../../core/services.ts'
import type { Request } from '../../http/request.ts'
import { newFolder, removeLeft } from './folders.ts'
import { type FilePart, type MultipartLimits, parts } from './parts.ts'
import { SNIFFED_BYTES, sniffType } from './sniff.ts'

/** A file that was sent with a form. */
export interface Upload {
  /** Name of its field. */
  readonly name: string
  /** As the client calls it, without a path; for showing, not for saving. */
  readonly fileName: string
  /** The media type that the client claims. */
  readonly type: string
  /** What its first bytes say it is, of the common kinds; null when they say nothing. */
  readonly sniffedType: string | null
  readonly bytes: number
  /** Where it lies until the reply has left. */
  readonly path: string
  /** Keeps it: moves it to `path`, which must not be in a folder that is not there. */
  moveTo(path: string): Promise<void>
}

/** A form with files. */
export interface MultipartForm {
  /** All fields that are no files, in their order. */
  readonly fields: URLSearchParams
  /** In their order; a field that was left empty has none. */
  readonly files: readonly Upload[]
  /** The first file of a field. */
  file(name: string): Upload | undefined
}

/** Where uploads lie: one folder for all workers of a site. */
export interface Uploads {
  readonly dir: string
}

export const UPLOADS: ServiceKey<Uploads> = {
  name: 'uploads',
  hint: 'serve it with uwas, which provides a folder for them',
}

/** The folder for uploads; those of processes that have died are removed, of other containers and machines after a day. */
export async function createUploads(dir: string): Promise<Uploads> {
  await removeLeft(dir)
  return { dir }
}

/** Reads the whole form; errors as `parts`. The temporary files are gone when the reply has left. */
export function multipart(req: Request, limits: MultipartLimits = {}): Promise<MultipartForm> {
  return handled(readForm(req, limits))
}

async function readForm(req: Request, limits: MultipartLimits): Promise<MultipartForm> {
  const dir = newFolder(req.services.get(UPLOADS).dir)
  const remove = () => rm(dir, { recursive: true, force: true })
  const fields = new URLSearchParams()
  const files: Upload[] = []
  try {
    for await (const part of parts(req, limits)) {
      if (part.kind === 'field') fields.append(part.name, part.value)
      else await takeFile(part, dir, files)
    }
  } catch (error) {
    await remove()
    throw error
  }
  // The client may have gone in this very moment: then it is called at once.
  req.onDone(() => void remove().catch(() => {}))
  return { fields, files, file: (name) => files.find((each) => each.name === name) }
}

/** A file field that was left empty comes without name and content (HTML standard, section 4.10.22.4). */
async function takeFile(part: FilePart, dir: string, files: Upload[]): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const path = join(dir, String(files.length))
  const { bytes, start } = await save(part.stream, path)
  if (bytes === 0 && part.fileName === '') return rm(path)
  const { name, fileName, type } = part
  files.push({
    name,
    fileName,
    type,
    sniffedType: sniffType(start),
    bytes,
    path,
    moveTo: (target) => move(path, target),
  })
}

async function save(stream: Readable, path: string): Promise<{ bytes: number; start: Uint8Array }> {
  let bytes = 0
  let start = Buffer.alloc(0)
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.byteLength
      if (start.byteLength < SNIFFED_BYTES) start = Buffer.concat([start, chunk.subarray(0, 64)])
      yield chunk
    }
  }
  await pipeline(stream, count, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  return { bytes, start }
}

/** Across file systems a file is copied: the temporary one goes with its folder. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(from, to)
  }
}
