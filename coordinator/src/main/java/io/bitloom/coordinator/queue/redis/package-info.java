/**
 * The queue's transitions: a Lua script each, the keys and codecs, and what follows one another
 * over several hash tags. The only place where replies of scripts are read.
 */
package io.bitloom.coordinator.queue.redis;
