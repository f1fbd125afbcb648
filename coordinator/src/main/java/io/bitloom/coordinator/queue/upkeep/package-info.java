/**
 * What the queue does by itself: sweeps what a crash left half-done, reaps leases, ends jobs in
 * time, and hears which buckets become ready.
 */
package io.bitloom.coordinator.queue.upkeep;
