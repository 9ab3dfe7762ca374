/** How urgent the calls of a route are, most urgent first. Where not all can be served, the later ones wait or are refused first. */
export const priorities = ['interactive', 'agent', 'batch'] as const
export type Priority = (typeof priorities)[number]
