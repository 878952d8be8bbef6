/**
 * What an exhausted budget keeps from being sent, until it is no longer exhausted. `backlog`: what can wait, which is the
 * queue's backlog and package downloads. `all-but-urgent`: live writes of apps as well, unless of priority 9.
 */
export type Hold = "nothing" | "backlog" | "all-but-urgent";
