/** One URL with a form for members and another for guests. Used by the views that write. */
import { type Request, user, type View } from 'uwas'

interface FormViews<P> {
  readonly get?: View<P>
  readonly post?: View<P>
}

export function byReader<P>(member: FormViews<P>, guest: FormViews<P>) {
  const choose =
    (method: 'get' | 'post'): View<P> =>
    async (req) => {
      const views = (await user(req as Request)) === undefined ? guest : member
      return (views[method] as View<P>)(req)
    }
  return { get: choose('get'), post: choose('post') }
}
