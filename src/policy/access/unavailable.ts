/** When the store cannot tell: that is nobody's wrong key, and says so. */
import { GatewayError } from '../../core/error.ts'

export const unavailable = (why = 'This key is not known here, and'): GatewayError =>
  new GatewayError('store-unavailable', `${why} the store of keys cannot be asked now. Try again.`, { retryAfterMs: 1_000 })

/** Rejects with `store-unavailable` when it takes longer, or fails in any way. */
export async function within<Value>(promise: Promise<Value>, limitMs: number): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable()), limitMs)
  })
  try {
    return await Promise.race([promise, limit])
  } catch (error) {
    throw error instanceof GatewayError && error.id === 'store-unavailable'
      ? error
      : new GatewayError('store-unavailable', unavailable().message, { retryAfterMs: 1_000, cause: error })
  } finally {
    clearTimeout(timer)
  }
}
