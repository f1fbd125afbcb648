/**
 * Pools of workers: what waits for each, and how many workers it should have. Below the doors,
 * which ask it; it asks the queue and the registry of models.
 */
package io.bitloom.coordinator.pools;
