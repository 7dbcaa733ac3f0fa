/**
 * The supervisor's ear for commands of this machine: a unix socket that only its user can reach. A line comes in, one
 * JSON document goes out. Opened by `supervise.ts`; `uwas reload` and `uwas status` ask.
 */
import { lstatSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createError } from '../core/errors.ts'
import type { RunningServer } from './pid-file.ts'

export type Question = 'status' | 'reload'

/** Answers a question; what it throws is answered as `problem`. */
export type Answer = (question: Question) => Promise<object>

/** Bytes of a path with its final NUL (Linux, sun_path; 104 elsewhere). */
const MAX_PATH_BYTES = 103
/** A question that is longer, or takes longer, is none. */
const MAX_QUESTION_CHARS = 100
const QUESTION_MS = 5_000

/**
 * Listens beside `pidFile`, or in a private folder where that path is too long. Resolves to the path. Rejects with
 * what the system says where somebody listens there, or where it is another file.
 */
export async function openControl(pidFile: string, answer: Answer): Promise<string> {
  const path = placeOf(pidFile)
  const server = createServer((socket) => hear(socket, answer))
  if (await isLeft(path)) rmSync(path, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // The folder may be another user's: a mode that is set by the path later could be that of a link's target.
    const mask = process.umask(0o177)
    server.listen(path, resolve)
    process.umask(mask)
  })
  server.unref()
  process.once('exit', () => rmSync(path, { force: true }))
  return path
}

/** Asks a running server. Rejects with UWAS_ERR_SUPERVISOR_UNREACHABLE, UWAS_ERR_SUPERVISOR_REFUSED. */
export async function askServer(
  { socket: path }: RunningServer,
  question: Question,
): Promise<unknown> {
  if (path === '') {
    const problem = 'it serves in one process, without workers (--workers 0)'
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
  if (Buffer.byteLength(beside) < MAX_PATH_BYTES) return beside
  const dir = mkdtempSync(join(tmpdir(), 'uwas-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'control.sock')
}

/** Whether it is a socket that nobody listens on any more: a supervisor that was killed has left it. */
function isLeft(path: string): Promise<boolean> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return Promise.resolve(false)
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
    if (question !== 'status' && question !== 'reload') throw new Error('there is no such question')
    return JSON.stringify(await answer(question))
  } catch (error) {
    return JSON.stringify({ problem: (error as Error).message })
  }
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
