/**
 * The services' methods over HTTP, as JSON and as gRPC-Web: one bridge for all of them, which knows
 * them by their descriptors. Every call becomes a gRPC call within the process.
 */
package io.bitloom.coordinator.http.bridge;
