/** Requests with a Host of the test's own, which `fetch` does not send. */
import { request } from 'node:http'

export interface RawReply {
  readonly status: number
  readonly text: string
}

export function rawRequest(
  url: string,
  path: string,
  headers: Record<string, string>,
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { path, headers, setHost: false }, (reply) => {
      let text = ''
      reply.setEncoding('utf8')
      reply.on('data', (chunk: string) => {
        text += chunk
      })
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text }))
    })
    sent.on('error', reject)
    sent.end()
  })
}
