/** One guard: lets a request on, or throws. Shared by the files of this folder. */
import type { Reply } from '../../http/reply.ts'
import type { Request } from '../../http/request.ts'

/** What `next` gives, or an error with a status. Stays synchronous where it has nothing to wait for. */
export type Step = (req: Request, next: () => Reply | Promise<Reply>) => Reply | Promise<Reply>
