/** One request of the test client → what came back: by fetch, or by TLS with whatever certificate the site has. */
import { request as requestByTls } from 'node:https'
import { isIP } from 'node:net'

export interface Outgoing {
  readonly method: string
  readonly headers: Headers
  readonly body: NonNullable<RequestInit['body']> | undefined
}

export interface Incoming {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export async function send(url: string, { method, headers, body }: Outgoing): Promise<Incoming> {
  const init = { method, headers, ...(body !== undefined && { body }) }
  if (url.startsWith('https:')) return sendByTls(url, init)
  const response = await fetch(url, { ...init, redirect: 'manual' })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** The certificate is the one for the host that is asked for; nobody vouches for it here. */
async function sendByTls(url: string, init: RequestInit): Promise<Incoming> {
  // Whatever kind of body it is becomes bytes, with its Content-Type.
  const whole = new Request(url, init)
  const content = Buffer.from(await whole.arrayBuffer())
  const fields = Object.fromEntries(whole.headers)
  const [name = ''] = (fields['host'] ?? '').split(':')
  const servername = isIP(name) > 0 ? '' : name
  return new Promise((resolve, reject) => {
    const request = requestByTls(
      url,
      {
        method: whole.method,
        headers: { ...fields, ...(content.length > 0 && { 'content-length': content.length }) },
        servername,
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const headers = new Headers()
          const { rawHeaders } = response
          for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
            headers.append(rawHeaders[i] as string, rawHeaders[i + 1] as string)
          }
          const text = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode ?? 0, headers, text })
        })
      },
    )
    request.on('error', reject)
    request.end(content)
  })
}
