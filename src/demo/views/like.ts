/** The button under a note: likes it, or takes the like back. */
import { notFound, type Reply, type Request, redirect, user } from 'uwas'
import { setLike } from '../models/likes.ts'
import { url } from '../urls.ts'
import { tellLikes } from './live.ts'
import { rememberVisitor, visitorOf } from './visitor.ts'

/** The form says which of the two is wanted, so that a POST that comes twice changes nothing more. */
export async function like(req: Request<{ id: number }>): Promise<Reply> {
  const { id } = req.params
  const liked = (await req.form()).get('liked') === 'yes'
  const visitor = (await visitorOf(req)) ?? crypto.randomUUID()
  if (!(await setLike(req, { postId: id, visitor }, liked))) throw notFound()
  await tellLikes(req, id)
  const reply = redirect(`${url('post', { id })}#like`)
  return (await user(req)) === undefined ? rememberVisitor(req, reply, visitor) : reply
}
