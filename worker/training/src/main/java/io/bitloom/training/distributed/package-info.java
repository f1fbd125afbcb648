/** Data-parallel training by several processes. */
package io.bitloom.training.distributed;
