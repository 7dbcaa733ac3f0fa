import { createHash } from 'node:crypto'
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { text } from '../../src/http/reply.ts'
import { serve } from '../support/application.ts'
import { catalogueOf, etagOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

interface Answer {
  readonly status: number
  readonly etag: string
  readonly body: Buffer
  /** False when the connection was cut before the announced length. */
  readonly isWhole: boolean
}

function ask(agent: Agent, port: number, path: string): Promise<Answer> {
  return new Promise((resolve) => {
    const request = get({ agent, host: '127.0.0.1', port, path }, (response) => {
      const chunks: Buffer[] = []
      const done = (isWhole: boolean) =>
        resolve({
          status: response.statusCode ?? 0,
          etag: response.headers.etag ?? '',
          body: Buffer.concat(chunks),
          isWhole,
        })
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => done(true))
      response.on('error', () => done(false))
    })
    request.on('error', () =>
      resolve({ status: 200, etag: '', body: Buffer.alloc(0), isWhole: false }),
    )
  })
}

const letters = (letter: string, length: number) => letter.repeat(length)
const ROUNDS = 40
const CEILING_BYTES = 1_000_000

/** What a writer does to a file, one round after the other. */
const WRITERS: Readonly<Record<string, (path: string, content: string, round: number) => void>> = {
  renames: (path, content) => {
    writeFileSync(`${path}.next`, content)
    renameSync(`${path}.next`, path)
  },
  'in-place': (path, content) => writeFileSync(path, content),
  truncates: (path, content, round) => {
    writeFileSync(path, content)
    if (round % 2 === 1) truncateSync(path, content.length - 1)
  },
  deletes: (path, content, round) => {
    if (round % 2 === 1) rmSync(path)
    else writeFileSync(path, content)
  },
}

t.test('under load every body is one version of the file, and has its tag', async (t) => {
  const dir = temporaryFolder(t)
  const names = Object.keys(WRITERS)
  // Small enough for one packet, larger than socket buffers, and above the ceiling: streamed.
  const sizes = [3000, 400_000, 1_200_000]
  const files = names.flatMap((name) =>
    sizes.map((size) => ({ name: `${name}-${size}.txt`, size })),
  )
  const versionOf = (size: number, round: number) =>
    letters('ABCDEFGH'[round % 8] as string, size + (round % 8))
  await writeTree(
    dir,
    Object.fromEntries(files.map(({ name, size }) => [name, versionOf(size, 0)])),
  )
  const { catalogue, log } = await catalogueOf(t, dir, {
    watch: 'auto',
    ceilingBytes: CEILING_BYTES,
    // Too little for all of it: some are loaded again and again.
    maxBytes: 1_500_000,
  })
  const server = await serve(t, () => text('no such file\n', { status: 404 }), { catalogue })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())

  const counts = { whole: 0, missing: 0, busy: 0, cut: 0 }
  const versions = new Set<string>()
  let isWriting = true
  const problems: string[] = []
  const strong = new Map<string, string>()
  const isTagOf = (etag: string, version: string, body: Buffer) => {
    if (etag.startsWith('W/')) return true
    if (body.length < CEILING_BYTES) return etag === etagOf(body)
    const key = `${version.split(' ')[0]} ${etag}`
    const before = strong.get(key) ?? version
    strong.set(key, version)
    return before === version
  }
  const check = (name: string, size: number, { status, etag, body, isWhole }: Answer) => {
    // Whoever replaces by renaming loses no request, whatever the size.
    if (name.startsWith('renames') && (status !== 200 || !isWhole)) {
      problems.push(`${name}: ${status}, ${isWhole ? 'whole' : 'cut'}`)
    }
    if (status === 404) counts.missing++
    else if (status === 503) counts.busy++
    else if (!isWhole) {
      counts.cut++
      // What is in the store is never cut: it does not change.
      if (size < CEILING_BYTES) problems.push(`${name}: cut`)
    } else {
      counts.whole++
      const letter = String.fromCharCode(body[0] ?? 0)
      const extra = 'ABCDEFGH'.indexOf(letter)
      const isUniform = body.equals(Buffer.alloc(body.length, letter))
      const lengths = [size + extra, size + extra - 1]
      if (status !== 200 || extra < 0 || !isUniform || !lengths.includes(body.length)) {
        problems.push(`${name}: ${status}, ${body.length} bytes, mixed or of no version`)
      }
      const hash = createHash('sha256').update(body).digest('hex')
      if (!isTagOf(etag, `${name} ${hash}`, body)) problems.push(`${name}: ${etag}`)
      versions.add(`${name} ${hash}`)
    }
  }
  const clients = Array.from({ length: 8 }, async (_, i) => {
    for (let turn = i; isWriting; turn++) {
      const { name, size } = files[turn % files.length] as (typeof files)[number]
      check(name, size, await ask(agent, server.port, `/${name}`))
    }
  })
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { name, size } of files) {
      WRITERS[name.split('-').slice(0, -1).join('-')]?.(
        join(dir, name),
        versionOf(size, round),
        round,
      )
    }
    await sleep(60)
  }
  isWriting = false
  await Promise.all(clients)
  t.strictSame(problems, [])
  t.ok(counts.whole > 100, `${JSON.stringify(counts)} of ${versions.size} versions`)
  t.ok(versions.size > files.length, 'changes were seen')

  for (const { name, size } of files) {
    const isGone = name.startsWith('deletes') && ROUNDS % 2 === 1
    const cut = name.startsWith('truncates') && ROUNDS % 2 === 1 ? 1 : 0
    const last = versionOf(size, ROUNDS)
    const wanted = isGone ? 'no such file\n' : last.slice(0, last.length - cut)
    let found: Answer
    let tries = 0
    do {
      if (tries++ > 0) await sleep(20)
      found = await ask(agent, server.port, `/${name}`)
    } while (!found.body.equals(Buffer.from(wanted)) && tries < 500)
    t.equal(found.body.equals(Buffer.from(wanted)), true, `${name} is its last version in the end`)
  }
  const odd = [...log, ...server.log].filter(
    (line) => !/changed|no longer there|cut short|somebody keeps writing|ends after/.test(line),
  )
  t.strictSame(odd, [])
})
