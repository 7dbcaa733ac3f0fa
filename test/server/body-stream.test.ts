import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Reply, stream, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { serve } from '../support/application.ts'
import { dial, raw } from '../support/raw.ts'

const LIMIT = 64 * 1024 * 1024
const head = (length: number, path = '/') =>
  `POST ${path} HTTP/1.1\r\nHost: x.test\r\nContent-Length: ${length}\r\n\r\n`
const after = 'GET /after HTTP/1.1\r\nHost: x.test\r\n\r\n'

async function lengthOf(req: Request): Promise<number> {
  let length = 0
  for await (const chunk of req.stream()) length += chunk.byteLength
  return length
}

for (const lane of ['native', 'strict'] as const) {
  t.test(`a body is streamed as it arrives (${lane})`, async (t) => {
    const { port } = await serve(t, async (req) => text(String(await lengthOf(req))), {
      limits: { maxBodyBytes: LIMIT },
      lane,
    })
    const big = Buffer.alloc(20 * 1024 * 1024, 1)
    const { responses } = await raw(port, Buffer.concat([Buffer.from(head(big.length)), big]), {
      timeoutMs: 20_000,
    })
    t.equal(responses[0]?.body.toString(), String(big.length))
    const none = await raw(port, after)
    t.equal(none.responses[0]?.body.toString(), '0', 'no body is an empty stream')
  })

  t.test(`a view that takes nothing makes the client wait (${lane})`, async (t) => {
    let go = () => {}
    const taken = new Promise<void>((resolve) => {
      go = resolve
    })
    const { port } = await serve(
      t,
      async (req) => {
        const body = req.stream()
        const first = await body.next()
        await taken
        let length = first.value?.byteLength ?? 0
        for await (const chunk of body) length += chunk.byteLength
        return text(String(length))
      },
      { limits: { maxBodyBytes: LIMIT }, lane },
    )
    const total = 40 * 1024 * 1024
    const socket = await dial(port)
    t.teardown(() => socket.destroy())
    let seen = ''
    socket.on('data', (chunk) => {
      seen += chunk
    })
    socket.write(head(total))
    socket.write(Buffer.alloc(total, 1))
    let waiting = -1
    while (socket.writableLength !== waiting) {
      waiting = socket.writableLength
      await sleep(200)
    }
    t.ok(waiting > 20 * 1024 * 1024, `${waiting} bytes are held back by the client`)
    go()
    for (let i = 0; i < 1000 && !seen.includes('\r\n\r\n'); i++) await sleep(10)
    t.match(seen, new RegExp(`\\r\\n\\r\\n${total}$`))
  })

  t.test(
    `a body that nobody reads is let go of, and the connection goes on (${lane})`,
    async (t) => {
      const { port } = await serve(
        t,
        async (req) => {
          await sleep(100)
          return text(req.path)
        },
        { limits: { maxBodyBytes: LIMIT }, lane },
      )
      const socket = await dial(port)
      t.teardown(() => socket.destroy())
      let seen = ''
      socket.on('data', (chunk) => {
        seen += chunk
      })
      socket.write(head(3 * 1024 * 1024, '/first'))
      socket.write(Buffer.alloc(3 * 1024 * 1024, 1))
      for (let i = 0; i < 500 && !seen.endsWith('/first'); i++) await sleep(10)
      t.match(seen, /200 OK[\s\S]*\/first$/)
      for (let i = 0; i < 500 && socket.writableLength > 0; i++) await sleep(10)
      socket.write(after)
      for (let i = 0; i < 500 && !seen.endsWith('/after'); i++) await sleep(10)
      t.match(seen, /\/after$/)
    },
  )

  t.test(`a reply may be made of the body while it comes (${lane})`, async (t) => {
    const { port } = await serve(
      t,
      async (req) => {
        await sleep(1)
        return stream(req.stream(), 'application/octet-stream')
      },
      { limits: { maxBodyBytes: LIMIT }, lane },
    )
    const sent = Buffer.from(Array.from({ length: 500_000 }, (_, i) => i % 251))
    const { responses } = await raw(port, Buffer.concat([Buffer.from(head(sent.length)), sent]))
    t.ok(responses[0]?.body.equals(sent))
  })

  t.test(`a client that goes away in the middle is told to the view (${lane})`, async (t) => {
    let failure: unknown
    let isDone = false
    const { port } = await serve(
      t,
      async (req) => {
        req.onDone(() => {
          isDone = true
        })
        await lengthOf(req).catch((error) => {
          failure = error
        })
        return text('')
      },
      { limits: { maxBodyBytes: LIMIT }, lane },
    )
    const socket = await dial(port)
    socket.write(`${head(1000)}only this`)
    await sleep(50)
    socket.destroy()
    for (let i = 0; i < 500 && !isDone; i++) await sleep(10)
    t.match(failure, { code: 'UWAS_ERR_HTTP_BODY_ABORTED' })
    t.equal(isDone, true)
  })

  t.test(`a body is read once: as a whole, or as a stream (${lane})`, async (t) => {
    const { port } = await serve(
      t,
      async (req) => {
        const whole = await req.bytes()
        let again = 0
        for await (const chunk of req.stream()) again += chunk.byteLength
        const twice = await req.bytes()
        return text(`${whole.length} ${again} ${twice.length}`)
      },
      { lane },
    )
    const kept = await raw(port, `${head(5)}12345`)
    t.equal(kept.responses[0]?.body.toString(), '5 5 5', 'what was read as a whole is kept')
    const streaming = await serve(
      t,
      async (req) => {
        await lengthOf(req)
        const codes = [req.bytes(), req.stream().next()].map((one) =>
          (one as Promise<unknown>).then(
            () => 'read',
            (error: { code: string; message: string }) => `${error.code} ${error.message}`,
          ),
        )
        return text((await Promise.all(codes)).join('\n'))
      },
      { lane },
    )
    const used = await raw(streaming.port, `${head(5)}12345`)
    t.match(
      used.responses[0]?.body.toString(),
      /^UWAS_ERR_HTTP_BODY_USED the request body is streamed and can be read once.*\nUWAS_ERR_HTTP_BODY_USED/,
    )
  })

  t.test(`a reply in the middle of a streamed body lets go of the rest (${lane})`, async (t) => {
    const failures: unknown[] = []
    const { port } = await serve(
      t,
      async (req) => {
        if (req.method === 'GET') return text(req.path)
        const body = req.stream()
        await body.next()
        // The client is made to wait meanwhile.
        await sleep(200)
        setImmediate(() => void body.next().catch((error) => failures.push(error)))
        return text(req.path)
      },
      { limits: { maxBodyBytes: LIMIT }, lane },
    )
    const socket = await dial(port)
    t.teardown(() => socket.destroy())
    let seen = ''
    socket.on('data', (chunk) => {
      seen += chunk
    })
    socket.write(head(20 * 1024 * 1024, '/first'))
    socket.write(Buffer.alloc(20 * 1024 * 1024, 1))
    socket.write(after)
    for (let i = 0; i < 1000 && !seen.endsWith('/after'); i++) await sleep(10)
    t.match(seen, /\/first[\s\S]*\/after$/, 'the connection goes on')
    t.match(failures, [{ code: 'UWAS_ERR_HTTP_BODY_ABORTED', message: /the reply left before/ }])
  })

  for (const content of ['of known length', 'of unknown length', 'that is none']) {
    t.test(
      `a streamed reply ${content} lets go of a body that it has not read (${lane})`,
      async (t) => {
        const { port } = await serve(
          t,
          (req) => {
            if (req.method === 'GET') return text(req.path)
            async function* first() {
              const body = req.stream()
              yield (await body.next()).value?.subarray(0, 1) ?? ''
              await sleep(200)
              yield '!'
            }
            const status = content === 'that is none' ? 204 : 200
            const length = content === 'of known length' ? 2 : null
            return new Reply(status, 'text/plain', first(), length)
          },
          { limits: { maxBodyBytes: LIMIT }, lane },
        )
        const socket = await dial(port)
        t.teardown(() => socket.destroy())
        let seen = ''
        socket.on('data', (chunk) => {
          seen += chunk
        })
        socket.write(head(20 * 1024 * 1024))
        socket.write(Buffer.alloc(20 * 1024 * 1024, 'x'))
        socket.write(after)
        for (let i = 0; i < 1000 && !seen.endsWith('/after'); i++) await sleep(10)
        t.match(seen, content === 'that is none' ? /^HTTP\/1.1 204 / : /x[\s\S]*!/)
        t.match(seen, /\/after$/, 'the connection goes on')
      },
    )
  }

  t.test(`a reply made of the body at once hears that its client has gone (${lane})`, async (t) => {
    let failure: unknown
    const { port } = await serve(
      t,
      (req) => {
        async function* echo() {
          try {
            yield* req.stream()
          } catch (error) {
            failure = error
          }
        }
        return stream(echo(), 'application/octet-stream')
      },
      { limits: { maxBodyBytes: LIMIT }, lane },
    )
    const socket = await dial(port)
    socket.write(`${head(1000)}only this`)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    for (let i = 0; i < 500 && failure === undefined; i++) await sleep(10)
    t.match(failure, { code: 'UWAS_ERR_HTTP_BODY_ABORTED' })
  })

  for (const read of ['bytes', 'text', 'json', 'form', 'stream'] as const) {
    t.test(
      `a body that fails while nobody awaits it harms nobody: ${read} (${lane})`,
      async (t) => {
        const unhandled: unknown[] = []
        const note = (error: unknown) => unhandled.push(error)
        process.on('unhandledRejection', note)
        t.teardown(() => process.off('unhandledRejection', note))
        let hasBegun = false
        let isDone = false
        const { port } = await serve(
          t,
          async (req) => {
            hasBegun = true
            req.onDone(() => {
              isDone = true
            })
            if (read === 'stream') void req.stream().next()
            else void req[read]()
            await new Promise((resolve) => req.signal.addEventListener('abort', resolve))
            return text('')
          },
          { lane },
        )
        const socket = await dial(port)
        const type = read === 'form' ? 'application/x-www-form-urlencoded' : 'application/json'
        socket.write(head(10).replace('Content-Length', `Content-Type: ${type}\r\nContent-Length`))
        for (let i = 0; i < 500 && !hasBegun; i++) await sleep(10)
        socket.destroy()
        for (let i = 0; i < 500 && !isDone; i++) await sleep(10)
        await sleep(10)
        t.equal(isDone, true)
        t.strictSame(unhandled, [])
      },
    )
  }
}
