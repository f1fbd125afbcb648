/**
 * The models that the cluster keeps, on a worker's side: the cache that workers of a machine share,
 * and what is in memory.
 */
package io.bitloom.worker.models;
