/** Who likes which note, and the number of likes, which stands in the note's row. */
import { atomic, cache, pg, type Request, statement } from 'uwas'
import { lockPost } from './posts.ts'

export interface Like {
  readonly postId: number
  readonly visitor: string
}

const LIKE = { postId: pg.int, visitor: pg.uuid }

/** One row when the visitor likes the note. */
export const findLike = statement('find like', {
  params: LIKE,
  row: { postId: pg.int },
  sql: 'select post_id as "postId" from likes where post_id = $1 and visitor = $2',
})

const insertLike = statement('insert like', {
  params: LIKE,
  sql: 'insert into likes (post_id, visitor) values ($1, $2) on conflict do nothing',
})

const deleteLike = statement('delete like', {
  params: LIKE,
  sql: 'delete from likes where post_id = $1 and visitor = $2',
})

const countLikes = statement('count likes', {
  params: { postId: pg.int, change: pg.int },
  sql: 'update posts set like_count = like_count + $2 where id = $1',
})

/** Sets or takes back a like; what is so already stays so. False when there is no such note. */
export function setLike(req: Request, like: Like, liked: boolean): Promise<boolean> {
  const { postId } = like
  return atomic(req, async (tx) => {
    if ((await lockPost.maybe(tx, { id: postId })) === undefined) return false
    const changed = await (liked ? insertLike : deleteLike).run(tx, { ...like })
    if (changed > 0) await countLikes.run(tx, { postId, change: liked ? 1 : -1 })
    tx.onCommit(() => cache(req).invalidate('notes'))
    return true
  })
}
