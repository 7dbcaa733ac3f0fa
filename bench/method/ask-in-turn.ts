/** A counted number of requests, one after the other on one connection: nothing depends on what falls together. */
import { connect } from 'node:net'

/** Answers need Content-Length, or to be 304. Rejects when the server closes before the last one. */
export function askInTurn(origin: string, request: string, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin)
    const socket = connect(Number(port), hostname, () => socket.write(request))
    let text = ''
    let answered = 0
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('error', reject)
    socket.on('close', () => {
      if (answered === count) resolve()
      else reject(new Error(`the server closed after ${answered} of ${count} answers`))
    })
    socket.on('data', (part: string) => {
      text += part
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!/^HTTP\/1\.1 (?:200|304) /.test(text)) {
        socket.destroy(new Error(`an answer is ${text.slice(0, 40)}`))
        return
      }
      const [, length = 0] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end)) ?? []
      if (text.length < end + 4 + Number(length)) return
      text = ''
      if (++answered === count) socket.destroy()
      else socket.write(request)
    })
  })
}
