/** What the engine answers by itself to a later request that it cannot parse, before anything of ours runs. */

export const ENGINE_REPLIES: readonly {
  readonly reply: string
  readonly request: string
}[] = [
  {
    reply: engineReply('400', 'Bad Request'),
    request: 'GET / HTTP/1.1\r\nHost: x\r\nA b\r\n\r\n',
  },
  {
    reply: engineReply('431', 'Request Header Fields Too Large'),
    request: `GET / HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(20_000)}\r\n\r\n`,
  },
  {
    reply: engineReply(
      '505',
      'HTTP Version Not Supported',
      '<p>This server does not support HTTP/1.0.</p>',
    ),
    request: 'GET / HTTP/1.0\r\nHost: x\r\n\r\n',
  },
]

export const ENGINE_REPLIES_EXCEPTION =
  'Where the engine cannot parse a later request it answers by itself, with 400, 431 or 505 and a line of HTML that names it, and closes: without Date (RFC 9110 section 6.6.1), Content-Type, the security headers or a line in the access log'

function engineReply(status: string, reason: string, more = ''): string {
  const body = `<h1>${reason}</h1>${more}<hr><i>uWebSockets/20 Server</i>`
  return `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\n\r\n${body}`
}
