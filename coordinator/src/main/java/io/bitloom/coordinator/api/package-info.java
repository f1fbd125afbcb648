/** The gRPC services for clients: thin doors to {@link io.bitloom.coordinator.jobs}. */
package io.bitloom.coordinator.api;
