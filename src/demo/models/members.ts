/** Neighbours with an account: their points, and the ledger of what changed hands. */
import { atomic, type Database, pg, type Request, statement } from 'uwas'

export interface Transfer {
  readonly submission: string
  readonly fromId: number
  readonly toId: number
  readonly amount: number
}

/** `done` also where the same submission has been done before. */
export type Outcome = 'done' | 'poor' | 'nobody'

/** A conflict with other transfers is no fault of anybody: it is tried again. */
const RETRIES = 20

export const joinBoard = statement('join board', {
  params: { userId: pg.int },
  sql: 'insert into members (user_id) values ($1) on conflict do nothing',
})

export const memberById = statement('member by id', {
  params: { userId: pg.int },
  row: { points: pg.int, visitor: pg.uuid },
  sql: 'select points, visitor from members where user_id = $1',
})

/** The newest of a member, with the other one's name. */
export const newestTransfers = statement('newest transfers', {
  params: { userId: pg.int, limit: pg.int },
  row: { amount: pg.int, isGift: pg.bool, name: pg.text, createdAt: pg.timestamptz },
  sql: `
    select t.amount, t.to_id = $1 as "isGift", u.name, t.created_at as "createdAt"
    from transfers t
    join uwas.users u on u.id = case when t.to_id = $1 then t.from_id else t.to_id end
    where t.from_id = $1 or t.to_id = $1
    order by t.created_at desc, t.submission limit $2`,
})

const transferBySubmission = statement('transfer by submission', {
  params: { submission: pg.uuid },
  row: { amount: pg.int },
  sql: 'select amount from transfers where submission = $1',
})

const takePoints = statement('take points', {
  params: { userId: pg.int, amount: pg.int },
  sql: 'update members set points = points - $2 where user_id = $1 and points >= $2',
})

const givePoints = statement('give points', {
  params: { userId: pg.int, amount: pg.int },
  sql: 'update members set points = points + $2 where user_id = $1',
})

const insertTransfer = statement('insert transfer', {
  params: { submission: pg.uuid, fromId: pg.int, toId: pg.int, amount: pg.int },
  sql: 'insert into transfers (submission, from_id, to_id, amount) values ($1, $2, $3, $4)',
})

/** Nothing at all, or all of it once, however often it is sent and whatever else happens meanwhile. */
export function sendPoints(on: Request | Database, transfer: Transfer): Promise<Outcome> {
  const { submission, fromId, toId, amount } = transfer
  return atomic(
    on,
    async (tx): Promise<Outcome> => {
      if ((await transferBySubmission.maybe(tx, { submission })) !== undefined) return 'done'
      if ((await memberById.maybe(tx, { userId: toId })) === undefined) return 'nobody'
      if ((await takePoints.run(tx, { userId: fromId, amount })) === 0) return 'poor'
      await givePoints.run(tx, { userId: toId, amount })
      await insertTransfer.run(tx, { ...transfer })
      return 'done'
    },
    { isolation: 'serializable', retries: RETRIES },
  )
}
