/**
 * A multipart/form-data body (RFC 7578) part by part, as it arrives: fields as texts, files as streams
 * that make the client wait. What is beyond a limit is an error, never cut off in silence.
 */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import { createError, isCodedError } from '../../core/errors.ts'
import { wholeOption } from '../../core/options.ts'
import { expectType } from '../../http/body-parse.ts'
import { cleanFileName } from '../../http/content-disposition.ts'
import type { Request } from '../../http/request.ts'
import { refuseUnknown } from '../../route/declaration.ts'

/** Beyond one of these the request is 413. The route's `maxBodyBytes` bounds the whole body besides. */
export interface MultipartLimits {
  /** Parts of all kinds. Default 1000. */
  readonly maxParts?: number
  /** Default 20. */
  readonly maxFiles?: number
  /** Bytes of one file. Default: the whole body's. */
  readonly maxFileBytes?: number
  /** Bytes of one field's value. Default 1 MiB. */
  readonly maxFieldBytes?: number
  /** Bytes of a part's name. Default 200. */
  readonly maxNameBytes?: number
}

/** A field of the form. */
export interface FieldPart {
  readonly kind: 'field'
  readonly name: string
  readonly value: string
}

/** A file of the form. Read `stream` before asking for the next part; what is left of it is dropped then. */
export interface FilePart {
  readonly kind: 'file'
  readonly name: string
  /** The last part of the name that the client gives, without what could lead astray; may be empty. */
  readonly fileName: string
  /** The media type that the client claims: believe the bytes rather. */
  readonly type: string
  /** Fails with UWAS_ERR_WAS_UPLOAD_LIMIT, UWAS_ERR_HTTP_BODY_ABORTED, _MALFORMED, _TOO_LARGE. */
  readonly stream: Readable
}

/** One part of a form: a field or a file. */
export type Part = FieldPart | FilePart

const DEFAULTS: Required<MultipartLimits> = {
  maxParts: 1000,
  maxFiles: 20,
  maxFileBytes: Number.MAX_SAFE_INTEGER,
  maxFieldBytes: 1024 * 1024,
  maxNameBytes: 200,
}
/** Of one part's head; browsers send three fields. */
const MAX_HEAD_BYTES = 16 * 1024
const MAX_HEAD_FIELDS = 32

/**
 * The parts of the request's body. Another Content-Type is UWAS_ERR_HTTP_BODY_TYPE (415), a body that is no
 * multipart, or ends early, UWAS_ERR_HTTP_BODY_MALFORMED (400), a limit UWAS_ERR_WAS_UPLOAD_LIMIT (413). Limits that are none are
 * UWAS_ERR_CORE_UNKNOWN_OPTION, UWAS_ERR_CORE_INVALID_OPTION.
 */
export async function* parts(
  req: Request,
  limits: MultipartLimits = {},
): AsyncGenerator<Part, void> {
  const type = req.header('content-type')
  expectType(type, 'multipart/form-data', /^multipart\/form-data$/)
  const source = new PartSource(readLimits(limits))
  const parser = source.parse(type ?? '')
  const stop = new AbortController()
  const pumping = pipeline(req.stream(), parser, { signal: stop.signal }).then(
    () => source.end(),
    (error: unknown) => source.fail(isCodedError(error) ? error : malformed(error)),
  )
  try {
    for (;;) {
      const part = await source.next()
      if (part === null) return
      yield part
      if (part.kind === 'file') part.stream.resume()
    }
  } finally {
    stop.abort()
    source.fail(new Error('nobody reads on'))
    await pumping
  }
}

function readLimits(limits: MultipartLimits): Required<MultipartLimits> {
  const where = 'the limits of a form with files'
  refuseUnknown(where, limits, Object.keys(DEFAULTS))
  for (const [name, value] of Object.entries(limits)) {
    if (value !== undefined) wholeOption(where, name, value, 0, Number.MAX_SAFE_INTEGER)
  }
  return { ...DEFAULTS, ...limits }
}

/** The parser's events as a queue of parts. */
class PartSource {
  readonly #limits: Required<MultipartLimits>
  readonly #queue: Part[] = []
  #file: Readable | null = null
  #failure: unknown = undefined
  #isEnded = false
  #wake: (() => void) | null = null

  constructor(limits: Required<MultipartLimits>) {
    this.#limits = limits
  }

  parse(contentType: string): BusboyInstance {
    const { maxParts, maxFiles, maxFileBytes, maxFieldBytes } = this.#limits
    let parser: BusboyInstance
    try {
      parser = new Busboy({
        headers: { 'content-type': contentType },
        limits: {
          parts: maxParts,
          fields: maxParts,
          files: maxFiles,
          fileSize: maxFileBytes,
          fieldSize: maxFieldBytes,
          headerPairs: MAX_HEAD_FIELDS,
          headerSize: MAX_HEAD_BYTES,
        },
      })
    } catch (error) {
      throw malformed(error)
    }
    parser.on('field', (name, value, _, isCut) => this.#field(name, value, isCut))
    parser.on('file', (name, stream, fileName, _, type) => this.#take(name, stream, fileName, type))
    parser.on('partsLimit', () => this.fail(beyond('parts', maxParts)))
    parser.on('fieldsLimit', () => this.fail(beyond('fields', maxParts)))
    parser.on('filesLimit', () => this.fail(beyond('files', maxFiles)))
    return parser
  }

  async next(): Promise<Part | null> {
    for (;;) {
      // A part that arrived whole before the body went wrong is not worth more than the error.
      if (this.#failure !== undefined) throw this.#failure
      const part = this.#queue.shift()
      if (part !== undefined) return part
      if (this.#isEnded) return null
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  fail(error: unknown): void {
    if (this.#failure !== undefined || this.#isEnded) return
    this.#failure = error
    this.#file?.destroy(error as Error)
    for (const part of this.#queue) if (part.kind === 'file') part.stream.destroy()
    this.#wake?.()
  }

  #field(name: string, value: string, isCut: boolean): void {
    if (this.#refusesName(name)) return
    const { maxFieldBytes } = this.#limits
    if (isCut) return this.fail(beyond(`bytes in the field "${name}"`, maxFieldBytes))
    this.#push({ kind: 'field', name, value })
  }

  #take(name: string, stream: Readable, fileName: string | undefined, type: string): void {
    // Whoever reads it hears of its failure; if nobody does, the process must not end for it.
    stream.on('error', () => {})
    if (this.#refusesName(name)) {
      stream.resume()
      return
    }
    this.#file = stream
    stream.once('limit', () =>
      this.fail(beyond(`bytes in the file "${name}"`, this.#limits.maxFileBytes)),
    )
    this.#push({ kind: 'file', name, fileName: cleanFileName(fileName ?? ''), type, stream })
  }

  #refusesName(name: string | undefined): boolean {
    const { maxNameBytes } = this.#limits
    if (name === undefined || name === '') this.fail(malformed(new Error('a part has no name')))
    else if (Buffer.byteLength(name) <= maxNameBytes) return false
    else this.fail(beyond('bytes in the name of a part', maxNameBytes))
    return true
  }

  #push(part: Part): void {
    this.#queue.push(part)
    this.#wake?.()
  }
}

function beyond(what: string, limit: number): Error {
  return createError('UWAS_ERR_WAS_UPLOAD_LIMIT', { what, limit })
}

function malformed(error: unknown): Error {
  const problem = (error as Error).message
  return createError('UWAS_ERR_HTTP_BODY_MALFORMED', { type: 'a form with files', problem }, error)
}
