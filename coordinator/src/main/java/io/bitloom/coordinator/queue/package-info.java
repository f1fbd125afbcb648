/**
 * The queue as others see it: jobs, prompts, leases and outcomes.
 *
 * <p>{@link io.bitloom.coordinator.queue.JobQueue} is the way in, and names its parts; the records
 * are what they take and give. Several coordinators may use one Redis; none of them keeps a truth
 * of its own. See {@code docs/decisions/0008-redis-queue.md}.
 *
 * <p>Rooms, and who may know whom: {@code queue.upkeep} (what happens by itself) knows {@code
 * queue.redis} (one Lua script per transition, keys, codecs), which knows this package; never the
 * other way round. Nobody else knows the two, but for the one place that opens the queue with
 * {@code queue.upkeep.RunningQueue}.
 */
package io.bitloom.coordinator.queue;
