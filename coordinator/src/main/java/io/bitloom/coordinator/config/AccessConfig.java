package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Who may connect, and how.
 *
 * @param tenants file of tenants and their tokens; without it everybody is let in
 * @param insecure whether everybody is let in from other machines, too
 * @param tls how both ports are secured; empty: not at all
 */
public record AccessConfig(Optional<Path> tenants, boolean insecure, Optional<Tls> tls) {

  /** Everybody on this machine. */
  public static final AccessConfig LOOPBACK =
      new AccessConfig(Optional.empty(), false, Optional.empty());

  /**
   * TLS with PEM files.
   *
   * @param certificate chain of the server
   * @param key private key of the server, PKCS#8
   * @param clientCa certificates by which callers of the gRPC port must be signed; empty: they need
   *     none
   */
  public record Tls(Path certificate, Path key, Optional<Path> clientCa) {}

  /**
   * @throws ConfigException if an address would let strangers in that nobody asked for
   */
  void check(String bind) {
    if (tenants.isEmpty() && !insecure && !loopback(bind)) {
      throw new ConfigException(
          "bind", bind, "must be a loopback address, unless there is --tenants or --insecure");
    }
  }

  private static boolean loopback(String bind) {
    try {
      return InetAddress.getByName(bind).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new ConfigException("bind", bind, "must be an address of this machine");
    }
  }
}
