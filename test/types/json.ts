/** What the compiler must accept and refuse of `json`. Checked by type-check.test.ts, never run. */
import * as z from 'zod'
import { json } from '../../src/http/reply.ts'

const user = z.object({ id: z.bigint(), at: z.date(), note: z.string().optional() })
const row = { id: 1n, at: new Date(), password: 'stays here' }

json({ anything: [row] })
json(row, { schema: user, status: 201 })
json([row], { schema: z.array(user) })
json(5, { schema: z.string().transform((each) => each.length) })

// @ts-expect-error id is a bigint
json({ id: 1, at: new Date() }, { schema: user })
// @ts-expect-error at is missing
json({ id: 1n }, { schema: user })
// @ts-expect-error the output of the schema is a number
json('5', { schema: z.string().transform((each) => each.length) })
