/**
 * Brings together what waits in the queue and the workers that ask for it.
 *
 * <p>Here is only the thread to which all state is confined. {@code dispatch.matching} decides who
 * gets what; it sees a worker as a {@code BatchTaker} and knows nothing of streams. {@code
 * dispatch.worker} has the workers' streams, and calls {@code matching.Matcher}; never the other
 * way round.
 */
package io.bitloom.coordinator.dispatch;
