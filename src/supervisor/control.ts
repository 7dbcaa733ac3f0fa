/**
 * The supervisor's ear for commands of this machine: a unix socket that only its user can reach. A line comes in, one
 * JSON document goes out. Opened by `registration.ts`; `uwas reload`, `uwas upgrade` and `uwas status` ask.
 */
import { linkSync, lstatSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createError } from '../core/errors.ts'
import { SocketFile } from '../server/socket-file.ts'
import type { RunningServer } from './pid-file.ts'

const QUESTIONS = ['status', 'reload', 'upgrade'] as const

export type Question = (typeof QUESTIONS)[number]

/** Answers a question; what it throws is answered as `problem`. */
export type Answer = (question: Question) => Promise<object>

/** Bytes of a path with its final NUL (Linux, sun_path; 104 elsewhere). */
const MAX_PATH_BYTES = 103
/** A question that is longer, or takes longer, is none. */
const MAX_QUESTION_CHARS = 100
const QUESTION_MS = 5_000

export class Control {
  /** Where it is asked, once it has been put there. */
  readonly path: string
  /** Of this process alone. */
  readonly #made: string
  readonly #server: Server
  #file: SocketFile | null
  readonly #onExit: () => void

  /** Listens near `pidFile`, where nobody finds it yet. Rejects with what the system says. */
  static async open(pidFile: string, answer: Answer): Promise<Control> {
    const path = placeOf(pidFile)
    const made = path + ownEnding()
    const server = createServer((socket) => hear(socket, answer))
    rmSync(made, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      // The folder may be another user's: a mode that is set by the path later could be that of a link's target.
      const mask = process.umask(0o177)
      server.listen(made, resolve)
      process.umask(mask)
    })
    server.unref()
    return new Control(path, made, server)
  }

  private constructor(path: string, made: string, server: Server) {
    this.path = path
    this.#made = made
    this.#server = server
    this.#file = null
    this.#onExit = () => this.#file?.remove()
  }

  /**
   * Puts it at its path, until this process exits: `replaces` in the place of the server that it follows, else where
   * nobody listens. Rejects where somebody does, and where it is another file.
   */
  async place(replaces: boolean): Promise<void> {
    if (replaces && isSocket(this.path)) renameSync(this.#made, this.path)
    else {
      if (await isLeft(this.path)) rmSync(this.path, { force: true })
      linkTo(this.#made, this.path)
    }
    this.#file = new SocketFile(this.path)
    process.once('exit', this.#onExit)
  }

  /** Answers no further question; what has been asked is answered. */
  close(): void {
    this.#server.close()
    this.#file?.remove()
    // The number of its file may be that of a later server's.
    process.off('exit', this.#onExit)
    try {
      rmSync(this.#made, { force: true })
    } catch {
      // Somebody else's folder is there: nobody looks for this name.
    }
  }
}

/** Asks a running server. Rejects with UWAS_ERR_SUPERVISOR_UNREACHABLE, UWAS_ERR_SUPERVISOR_REFUSED. */
export async function askServer(
  { socket: path }: RunningServer,
  question: Question,
): Promise<unknown> {
  if (path === '') {
    const problem =
      'it serves in one process, without workers (--workers 0): stop it and start it again'
    throw createError('UWAS_ERR_SUPERVISOR_REFUSED', { question, problem })
  }
  const text = await converse(path, question)
  const answer = parse(text)
  if (answer === null) {
    const problem = 'it ended before it answered'
    throw createError('UWAS_ERR_SUPERVISOR_UNREACHABLE', { file: path, problem })
  }
  if (answer.problem !== undefined) {
    throw createError('UWAS_ERR_SUPERVISOR_REFUSED', { question, problem: answer.problem })
  }
  return answer
}

function placeOf(pidFile: string): string {
  const beside = `${pidFile}.sock`
  if (Buffer.byteLength(beside + ownEnding()) < MAX_PATH_BYTES) return beside
  const dir = mkdtempSync(join(tmpdir(), 'uwas-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'control.sock')
}

/** Of a name that no other process has. */
function ownEnding(): string {
  return `.${process.pid}`
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true
}

/** Whether it is a socket that nobody listens on any more: a supervisor that was killed has left it. */
function isLeft(path: string): Promise<boolean> {
  if (!isSocket(path)) return Promise.resolve(false)
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'))
  })
}

function hear(socket: Socket, answer: Answer): void {
  let text = ''
  socket.setTimeout(QUESTION_MS, () => socket.destroy())
  socket.on('error', () => {})
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
    const end = text.indexOf('\n')
    if (end < 0 && text.length <= MAX_QUESTION_CHARS) return
    socket.removeAllListeners('data').resume()
    socket.setTimeout(0)
    void reply(text.slice(0, Math.max(end, 0)), answer).then((words) => socket.end(words))
  })
}

async function reply(question: string, answer: Answer): Promise<string> {
  try {
    if (!isQuestion(question)) throw new Error('there is no such question')
    return JSON.stringify(await answer(question))
  } catch (error) {
    return JSON.stringify({ problem: (error as Error).message })
  }
}

/** Moves a file to where nothing is. */
function linkTo(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Error(`${to} is another file, or somebody listens there`, { cause: error })
  }
  rmSync(from, { force: true })
}

function isQuestion(text: string): text is Question {
  return (QUESTIONS as readonly string[]).includes(text)
}

function converse(path: string, question: Question): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path, () => socket.write(`${question}\n`))
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.once('error', (error) =>
      reject(
        createError(
          'UWAS_ERR_SUPERVISOR_UNREACHABLE',
          { file: path, problem: error.message },
          error,
        ),
      ),
    )
    socket.once('close', () => resolve(text))
  })
}

function parse(text: string): { readonly problem?: string } | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
