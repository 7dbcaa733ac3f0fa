/** What must not be seen: a line from a terminal without echo, or the first line of a pipe. Called by commands. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Asks on standard error, so that standard output stays what the command says. */
export async function readSecret(question: string): Promise<string> {
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}

/** A new password, the same both times; else what `refuse` makes of that is thrown. */
export async function askTwice(refuse: (problem: string) => Error): Promise<string> {
  const password = await readSecret('Password: ')
  if ((await readSecret('Again: ')) === password) return password
  throw refuse('the two passwords are not the same')
}

/** The first line, without its end; all of it where there is no newline. */
export async function readLine(input: AsyncIterable<string | Uint8Array>): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of input) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    if (text.includes('\n') || text.length > MAX_LENGTH) break
  }
  return (text.split('\n', 1)[0] ?? '').replace(/\r$/, '')
}

const MAX_LENGTH = 10_000
