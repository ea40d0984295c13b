/** How long an old key or secret goes on beside its new one: hours, and what they are called. */

export const OVERLAPS = [["0", "No longer"], ["1", "1 hour"], ["24", "1 day"], ["72", "3 days"], ["168", "7 days"]];
