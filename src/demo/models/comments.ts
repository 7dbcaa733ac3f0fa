/** Comments, and their number, which stands in the note's row. */
import { atomic, cache, pg, type Request, statement } from 'uwas'
import { lockPost } from './posts.ts'

export interface NewComment {
  readonly submission: string
  readonly postId: number
  readonly author: string
  readonly body: string
  /** Null for a guest. */
  readonly ownerId: number | null
}

/** The newest of a note, oldest first. */
export const newestComments = statement('newest comments', {
  params: { postId: pg.int, limit: pg.int },
  row: {
    id: pg.int,
    author: pg.text,
    body: pg.text,
    createdAt: pg.timestamptz,
    ownerId: pg.nullable(pg.int),
  },
  sql: `
    select id, author, body, created_at as "createdAt", owner_id as "ownerId"
    from (select * from comments where post_id = $1 order by id desc limit $2) as newest
    order by id`,
})

const insertComment = statement('insert comment', {
  params: {
    submission: pg.uuid,
    postId: pg.int,
    author: pg.text,
    body: pg.text,
    ownerId: pg.nullable(pg.int),
  },
  row: { id: pg.int },
  sql: `
    insert into comments (submission, post_id, author, body, owner_id) values ($1, $2, $3, $4, $5)
    on conflict (submission) do nothing
    returning id`,
})

const commentBySubmission = statement('comment by submission', {
  params: { submission: pg.uuid },
  row: { id: pg.int },
  sql: 'select id from comments where submission = $1',
})

const countComment = statement('count comment', {
  params: { postId: pg.int },
  sql: 'update posts set comment_count = comment_count + 1 where id = $1',
})

/** Adds a comment once for each submission. Gives its id, or undefined when there is no such note. */
export function addComment(req: Request, comment: NewComment): Promise<number | undefined> {
  const { postId, submission } = comment
  return atomic(req, async (tx) => {
    if ((await lockPost.maybe(tx, { id: postId })) === undefined) return undefined
    const added = await insertComment.maybe(tx, { ...comment })
    if (added === undefined) return (await commentBySubmission.one(tx, { submission })).id
    await countComment.run(tx, { postId })
    tx.onCommit(() => cache(req).invalidate('notes'))
    return added.id
  })
}
