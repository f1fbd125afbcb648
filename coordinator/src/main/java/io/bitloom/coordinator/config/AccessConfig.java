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
 * @param insecure whether other machines are let in without tokens, or with tokens in plain text
 * @param scalerOpen whether everybody may ask how many workers pools need
 * @param tls how both ports are secured; empty: not at all
 */
public record AccessConfig(
    Optional<Path> tenants, boolean insecure, boolean scalerOpen, Optional<Tls> tls) {

  public static final Setting<Optional<Path>> TENANTS =
      Setting.optionalFile(
          "tenants", "Tenants and the SHA-256 of their tokens; others are not let in.");
  static final Setting<Boolean> INSECURE =
      Setting.flag(
          "insecure",
          "Listen beyond this machine without --tenants, or without --tls-cert: tokens then cross the"
              + " network in plain text.");
  static final Setting<Boolean> SCALER_OPEN =
      Setting.flag(
          "scaler-open",
          "Let everybody ask how many workers pools need, as KEDA does, without a token.");
  static final Setting<Optional<Path>> TLS_CERT =
      Setting.optionalFile("tls-cert", "Certificate chain (PEM); secures both ports.");
  static final Setting<Optional<Path>> TLS_KEY =
      Setting.optionalFile("tls-key", "Private key of --tls-cert (PEM, PKCS#8).");
  static final Setting<Optional<Path>> TLS_CLIENT_CA =
      Setting.optionalFile(
          "tls-client-ca",
          "Let only those into the gRPC port whose certificate one of these signed.");

  /** Everybody on this machine. */
  public static final AccessConfig LOOPBACK =
      new AccessConfig(Optional.empty(), false, false, Optional.empty());

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
   * @throws ConfigException naming the key of the first bad value
   */
  static AccessConfig of(SettingValues values) {
    return new AccessConfig(
        values.get(TENANTS), values.get(INSECURE), values.get(SCALER_OPEN), tls(values));
  }

  private static Optional<Tls> tls(SettingValues values) {
    Optional<Path> certificate = values.get(TLS_CERT);
    Optional<Path> key = values.get(TLS_KEY);
    Optional<Path> clientCa = values.get(TLS_CLIENT_CA);
    if (certificate.isPresent() != key.isPresent()) {
      throw new ConfigException(
          TLS_KEY.name(), values.text(TLS_KEY), "must go with --tls-cert, and that with it");
    }
    if (clientCa.isPresent() && certificate.isEmpty()) {
      throw new ConfigException(
          TLS_CLIENT_CA.name(), values.text(TLS_CLIENT_CA), "must go with --tls-cert");
    }
    return certificate.map(chain -> new Tls(chain, key.get(), clientCa));
  }

  /**
   * @throws ConfigException if an address would let strangers in, or tokens out, and nobody asked
   *     for that
   */
  void check(String bind) {
    if (insecure || loopback(bind)) {
      return;
    }
    if (tenants.isEmpty()) {
      throw new ConfigException(
          ListenConfig.BIND.name(),
          bind,
          "must be a loopback address, unless there is --tenants or --insecure");
    }
    if (tls.isEmpty()) {
      throw new ConfigException(
          ListenConfig.BIND.name(),
          bind,
          "must be a loopback address, unless tokens are secured by --tls-cert, or --insecure lets"
              + " them cross the network in plain text");
    }
  }

  private static boolean loopback(String bind) {
    try {
      return InetAddress.getByName(bind).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new ConfigException(
          ListenConfig.BIND.name(), bind, "must be an address of this machine");
    }
  }
}
