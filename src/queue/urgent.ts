/** The highest priority (`gmq.cfg`, `[priorities]`): no traffic budget holds it. */
export const urgentPriority = 9;
