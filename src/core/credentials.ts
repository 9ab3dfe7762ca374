/** The credentials of one provider, as calls find them: a list that may change while they run. */
export interface Credentials {
  /** In order of preference. Not to be kept: another list stands here after a change. */
  readonly keys: readonly string[]
  /** Another number after every change of `keys`. */
  readonly version: number
  /** Everything that was a credential not long ago, for taking it out of texts. */
  readonly known: readonly string[]
  /** A call with the key at this place, in the list of that version, was answered well. */
  worked(place: number, version: number): void
  /** The credentials that an organisation has of its own; undefined where it uses these. */
  readonly of?: (organisation: string) => Credentials | undefined
}

/** A list that stays as it is. */
export const fixedCredentials = (keys: readonly string[]): Credentials => ({ keys, version: 0, known: keys, worked() {} })
