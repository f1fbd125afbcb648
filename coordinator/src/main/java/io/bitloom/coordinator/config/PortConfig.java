package io.bitloom.coordinator.config;

import java.util.Optional;

/**
 * Where a server listens, and how.
 *
 * @param port 0 for any free one
 * @param tls secures the connections; empty: nothing does
 * @param connections what they may take
 */
public record PortConfig(
    String bind, int port, Optional<AccessConfig.Tls> tls, ConnectionsConfig connections) {}
