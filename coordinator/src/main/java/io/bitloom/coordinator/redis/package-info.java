/** The connection to Redis, and the Redis server of a single machine. */
package io.bitloom.coordinator.redis;
