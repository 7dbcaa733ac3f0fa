import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { isCodedError } from '../../../src/core/errors.ts'
import { Services } from '../../../src/core/services.ts'
import { json, text } from '../../../src/http/reply.ts'
import type { Request } from '../../../src/http/request.ts'
import { createUploads, multipart, UPLOADS } from '../../../src/was/upload/multipart.ts'
import { type MultipartLimits, parts } from '../../../src/was/upload/parts.ts'
import { serve } from '../../support/application.ts'
import { temporaryFolder } from '../../support/catalogue.ts'
import { dial, raw } from '../../support/raw.ts'
import { requestOf } from '../../support/request.ts'

const PNG = Buffer.from('\x89PNG\r\n\x1a\n and so on', 'latin1')

/** A server whose view reads a form with files and tells what it got, or how it failed. */
async function uploading(t: Test, limits: MultipartLimits = {}, lane?: 'native' | 'strict') {
  const dir = join(temporaryFolder(t), 'uploads')
  const services = new Services().provide(UPLOADS, await createUploads(dir))
  const seen: string[] = []
  const view = async (req: Request) => {
    try {
      const form = await multipart(req, limits)
      const files = form.files.map(({ moveTo: _, path, ...rest }) => ({
        ...rest,
        content: readFileSync(path, 'latin1'),
      }))
      return json({ fields: [...form.fields], files })
    } catch (error) {
      if (!isCodedError(error)) throw error
      seen.push(error.code)
      return text(`${error.status} ${error.message}`, { status: error.status })
    }
  }
  const limit = { maxBodyBytes: 64 * 1024 * 1024 }
  const server = await serve(t, view, { services, limits: limit, ...(lane && { lane }) })
  return { port: server.port, dir, seen }
}

function post(body: Buffer | string, boundary = 'XX'): Buffer {
  const bytes = Buffer.from(body as string)
  const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\nContent-Length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}

const field = (name: string, value: string) =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
const file = (name: string, fileName: string, content: string, type = 'text/plain') =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"; filename="${fileName}"\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`
const END = '--XX--\r\n'

async function ask(port: number, body: string, boundary?: string): Promise<string> {
  const { responses } = await raw(port, post(Buffer.from(body, 'utf8'), boundary))
  return responses[0]?.body.toString() ?? 'no answer'
}

for (const lane of ['native', 'strict'] as const) {
  t.test(`fields and files arrive as they were sent (${lane})`, async (t) => {
    const { port, dir } = await uploading(t, {}, lane)
    const form = new FormData()
    form.append('title', '한글 & "quotes"')
    form.append('tag', 'a')
    form.append('tag', 'b')
    form.append('photo', new File([PNG], '사진.png', { type: 'text/html' }))
    form.append('empty', new File([], ''))
    form.append('notes', new File(['one\r\n--XX\r\ntwo'], 'n.txt', { type: 'text/plain' }))
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: form })
    t.strictSame(await response.json(), {
      fields: [
        ['title', '한글 & "quotes"'],
        ['tag', 'a'],
        ['tag', 'b'],
      ],
      files: [
        {
          name: 'photo',
          fileName: '사진.png',
          type: 'text/html',
          sniffedType: 'image/png',
          bytes: PNG.length,
          content: PNG.toString('latin1'),
        },
        {
          name: 'notes',
          fileName: 'n.txt',
          type: 'text/plain',
          sniffedType: null,
          bytes: 14,
          content: 'one\r\n--XX\r\ntwo',
        },
      ],
    })
    for (let i = 0; i < 200 && readdirSync(dir).length > 0; i++) await sleep(10)
    t.strictSame(readdirSync(dir), [], 'nothing is left when the reply has left')
  })

  t.test(`an upload that is cut anywhere leaves no file and no descriptor (${lane})`, async (t) => {
    const { port, dir, seen } = await uploading(t, {}, lane)
    const whole = post(
      field('a', 'b') + file('f', 'f.bin', 'x'.repeat(300_000)) + field('c', 'd') + END,
    )
    const descriptors = () => readdirSync('/proc/self/fd').length
    const before = descriptors()
    const cuts = fc.sample(fc.integer({ min: 150, max: whole.length - 1 }), 25)
    for (const cut of [...cuts, whole.length - 3]) {
      const count = seen.length
      const socket = await dial(port)
      socket.on('error', () => {})
      socket.write(whole.subarray(0, cut))
      await sleep(5)
      socket.destroy()
      for (let i = 0; i < 300 && seen.length === count; i++) await sleep(5)
      t.equal(seen.at(-1), 'UWAS_ERR_HTTP_BODY_ABORTED', `cut at ${cut}`)
    }
    for (let i = 0; i < 300 && (existsSync(dir) ? readdirSync(dir).length : 0) > 0; i++) {
      await sleep(10)
    }
    t.strictSame(existsSync(dir) ? readdirSync(dir) : [], [])
    for (let i = 0; i < 300 && descriptors() > before; i++) await sleep(10)
    t.ok(descriptors() <= before, `${descriptors()} descriptors, ${before} before`)
  })
}

t.test('what is beyond a limit is 413 and names it, nothing is cut off in silence', async (t) => {
  const limits = {
    maxParts: 4,
    maxFiles: 2,
    maxFileBytes: 10,
    maxFieldBytes: 5,
    maxNameBytes: 8,
  }
  const { port, dir, seen } = await uploading(t, limits)
  const f = (content: string) => file('f', 'a.txt', content)
  t.match(await ask(port, field('a', '12345') + f('1234567890') + END), /^\{"fields"/)
  t.equal(
    await ask(port, field('a', '123456') + END),
    '413 the form has more than 5 bytes in the field "a"',
  )
  t.equal(
    await ask(port, f('12345678901') + END),
    '413 the form has more than 10 bytes in the file "f"',
  )
  t.equal(await ask(port, f('1') + f('2') + f('3') + END), '413 the form has more than 2 files')
  t.equal(await ask(port, field('a', '1').repeat(5) + END), '413 the form has more than 4 parts')
  t.equal(
    await ask(port, field('123456789', '1') + END),
    '413 the form has more than 8 bytes in the name of a part',
  )
  t.strictSame(existsSync(dir) ? readdirSync(dir) : [], [])
  t.ok(seen.length === 5 && seen.every((code) => code === 'UWAS_ERR_WAS_UPLOAD_LIMIT'))
})

t.test('what is no form with files is 400 or 415, never a hang', async (t) => {
  const { port } = await uploading(t)
  const bad = /^400 the request body cannot be read as a form with files: /
  t.match(await ask(port, field('a', 'b')), bad, 'no end')
  t.match(await ask(port, ''), bad, 'nothing')
  t.match(await ask(port, 'no boundary anywhere'), bad)
  t.match(await ask(port, '--XX\r\nContent-Disposition: form-data\r\n\r\nv\r\n--XX--'), bad)
  t.match(await ask(port, file('', 'a.txt', 'v') + END), bad)
  t.match(await ask(port, `--XX\r\nA: ${'b'.repeat(100_000)}\r\n\r\nv\r\n${END}`), /^(400|\{)/)
  const noBoundary = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data\r\nContent-Length: 1\r\n\r\nx`
  t.match((await raw(port, noBoundary)).responses[0]?.body.toString(), bad)
  const other = noBoundary.replace('multipart/form-data', 'text/plain')
  t.equal((await raw(port, other)).responses[0]?.status, 415)
})

t.test('names of files lead nowhere', async (t) => {
  const { port } = await uploading(t)
  const nameOf = async (fileName: string) => {
    const answer = JSON.parse(await ask(port, file('f', fileName, 'x') + END))
    return answer.files[0].fileName
  }
  t.equal(await nameOf('../../etc/passwd'), 'passwd')
  t.equal(await nameOf('C:\\\\Windows\\\\a.txt'), 'a.txt')
  t.equal(await nameOf('..'), '')
  t.equal(await nameOf('a\u202egnp.exe'), 'agnp.exe')
  t.ok(Buffer.byteLength(await nameOf('x'.repeat(400))) <= 255)
})

t.test('parts are read as they come; what is not read of a file is passed over', async (t) => {
  const seen: string[] = []
  const content = field('a', '1') + file('f', 'f', 'y'.repeat(200_000)) + field('b', '2') + END
  const req = requestOf('POST', '/', {
    content,
    headers: { 'content-type': 'multipart/form-data; boundary=XX' },
  })
  for await (const part of parts(req)) {
    seen.push(part.kind === 'field' ? `${part.name}=${part.value}` : part.fileName)
  }
  t.strictSame(seen, ['a=1', 'f', 'b=2'])
  const again = requestOf('POST', '/', {
    content,
    headers: { 'content-type': 'multipart/form-data; boundary=XX' },
  })
  for await (const part of parts(again)) {
    t.equal(part.name, 'a')
    break
  }
})

t.test('bytes of no sense never hang or crash', async (t) => {
  const pieces = fc.constantFrom(
    '--XX',
    '--XX--',
    '\r\n',
    'Content-Disposition: form-data',
    '; name="a"',
    '; filename="b"',
    ':',
    '"',
    'x',
    '\0',
    '한',
    ';',
    '\r\n\r\n',
  )
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 30 }), async (list) => {
      const req = requestOf('POST', '/', {
        content: list.join(''),
        headers: { 'content-type': 'multipart/form-data; boundary=XX' },
      })
      try {
        runs++
        for await (const part of parts(req)) if (part.kind === 'file') part.stream.resume()
      } catch (error) {
        if (!isCodedError(error)) throw error
      }
    }),
    { numRuns: 300 },
  )
  t.equal(runs, 300)
})

t.test('a form that fails while nobody awaits it harms nobody', async (t) => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const dir = join(temporaryFolder(t), 'uploads')
  const services = new Services().provide(UPLOADS, await createUploads(dir))
  let started: Promise<unknown> | undefined
  const view = async (req: Request) => {
    started = multipart(req)
    await sleep(100)
    return text('answered')
  }
  const { port } = await serve(t, view, { services })
  t.equal(await ask(port, 'no boundary anywhere'), 'answered')
  t.strictSame(unhandled, [])
  await t.rejects(started as Promise<unknown>, { code: 'UWAS_ERR_HTTP_BODY_MALFORMED' })
})

t.test('limits that are none are told, and not ignored', async (t) => {
  const req = () =>
    requestOf('POST', '/', {
      content: END,
      headers: { 'content-type': 'multipart/form-data; boundary=XX' },
    })
  await t.rejects(parts(req(), { maxFile: 1 } as never).next(), {
    code: 'UWAS_ERR_CORE_UNKNOWN_OPTION',
    message: /unknown option "maxFile"; did you mean "maxFiles"\?/,
  })
  await t.rejects(parts(req(), { maxFieldBytes: 1.5 }).next(), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: /maxFieldBytes is 1\.5; it must be a whole number from 0/,
  })
})
