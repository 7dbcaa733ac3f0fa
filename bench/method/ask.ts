/** One request, or several at once, and the answers byte for byte: no client library decodes anything here. */
import { request } from 'node:http'
import { request as requestByTls } from 'node:https'
import { connect } from 'node:net'

const WAIT_MS = 10_000

export type Fields = (readonly [name: string, value: string])[]

export interface Answer {
  readonly status: number
  readonly fields: Fields
  readonly body: Buffer
  /** Value by name in any case. */
  field(name: string): string | undefined
}

/** GET on a connection of its own. */
export function ask(url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? requestByTls : request
    // The certificate is the bench's own.
    const how = { headers, agent: false, timeout: WAIT_MS, rejectUnauthorized: false }
    const asking = send(url, how, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const fields = pairs(response.rawHeaders)
        resolve(answer(response.statusCode as number, fields, Buffer.concat(parts)))
      })
    })
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${WAIT_MS} ms`)))
    asking.on('error', reject)
    asking.end()
  })
}

/** The same GET `count` times in one write; resolves with the answers, which need Content-Length. */
export function askPipelined(
  url: string,
  headers: Readonly<Record<string, string>>,
  count: number,
): Promise<Answer[]> {
  const { hostname, port, host, pathname } = new URL(url)
  const fields = Object.entries({ Host: host, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  const one = `GET ${pathname} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(one.repeat(count)))
    const answers: Answer[] = []
    let bytes = Buffer.alloc(0)
    socket.setTimeout(WAIT_MS, () =>
      socket.destroy(new Error(`no ${count} answers in ${WAIT_MS} ms`)),
    )
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`${answers.length} of ${count} answers came`)))
    socket.on('data', (part: Buffer) => {
      bytes = Buffer.concat([bytes, part])
      for (let next = take(bytes); next !== undefined; next = take(bytes)) {
        answers.push(next.answer)
        bytes = bytes.subarray(next.length)
      }
      if (answers.length < count) return
      resolve(answers)
      socket.destroy()
    })
  })
}

/** The first whole answer in `bytes`. */
function take(bytes: Buffer): { answer: Answer; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [line = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const fields: Fields = lines.map((one) => {
    const colon = one.indexOf(':')
    return [one.slice(0, colon), one.slice(colon + 1).trim()]
  })
  const head = answer(Number(line.split(' ')[1]), fields, Buffer.alloc(0))
  const length = end + 4 + Number(head.field('content-length') ?? 0)
  if (bytes.length < length) return undefined
  return { answer: answer(head.status, fields, bytes.subarray(end + 4, length)), length }
}

function answer(status: number, fields: Fields, body: Buffer): Answer {
  const byName = new Map(fields.map(([name, value]) => [name.toLowerCase(), value]))
  return { status, fields, body, field: (name) => byName.get(name.toLowerCase()) }
}

function pairs(raw: readonly string[]): Fields {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as const] : []))
}
