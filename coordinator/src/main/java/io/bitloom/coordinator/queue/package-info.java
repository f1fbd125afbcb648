/**
 * The queue: jobs, prompts, leases and outcomes in Redis, one Lua script per transition.
 *
 * <p>{@link io.bitloom.coordinator.queue.JobQueue} is the way in. Several coordinators may use one
 * Redis; none of them keeps a truth of its own. See {@code docs/decisions/0008-redis-queue.md}.
 */
package io.bitloom.coordinator.queue;
