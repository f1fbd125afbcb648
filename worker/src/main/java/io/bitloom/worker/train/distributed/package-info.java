/** Data-parallel training by several processes. */
package io.bitloom.worker.train.distributed;
