package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.net.KnownHosts;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where the coordinator is found.
 *
 * @param bind address that the gRPC and the HTTP port listen on
 * @param grpcPort 0 for any free one
 * @param httpPort 0 for any free one
 * @param portsFile where the ports are written once all is ready
 * @param access who may connect
 * @param allowedHosts names by which people and proxies call the HTTP port, besides localhost and
 *     the address that it listens on
 * @param cors origins of web pages of others that may call the API on the HTTP port
 * @param connections what they may take
 */
public record ListenConfig(
    String bind,
    int grpcPort,
    int httpPort,
    Optional<Path> portsFile,
    AccessConfig access,
    List<String> allowedHosts,
    List<String> cors,
    ConnectionsConfig connections) {

  static final Setting<String> BIND =
      Setting.text("bind", "ADDRESS", "127.0.0.1", "Address to listen on (default: {default}).");
  public static final Setting<Integer> GRPC_PORT =
      Setting.number(
          "grpc-port",
          "PORT",
          7700,
          "Port of clients and workers; 0 takes a free one (default: {default}).");
  public static final Setting<Integer> HTTP_PORT =
      Setting.number(
          "http-port",
          "PORT",
          7701,
          "Port of health, metrics and the jobs page; 0 takes a free one (default: {default}).");
  static final Setting<Optional<Path>> PORTS_FILE =
      Setting.optionalFile(
          "ports-file", "Written once ready: a JSON object with grpc, http and redis.");
  public static final Setting<List<String>> ALLOWED_HOSTS =
      Setting.texts(
          "allowed-hosts",
          "NAMES",
          "Names by which the HTTP port is called, besides localhost and all IP addresses.");

  public static final Setting<List<String>> CORS =
      Setting.texts(
          "cors",
          "ORIGINS",
          "Web pages of other sites that may call the API on the HTTP port, such as"
              + " https://app.example; none by default.");

  private static final Pattern ORIGIN = Pattern.compile("https?://[a-z0-9.\\[\\]:-]+");

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public ListenConfig {
    if (bind.isBlank()) {
      throw new ConfigException(BIND.name(), bind, "must be an address");
    }
    access.check(bind);
    Settings.inRange(GRPC_PORT.name(), grpcPort, 0, 65_535);
    Settings.inRange(HTTP_PORT.name(), httpPort, 0, 65_535);
    for (String host : allowedHosts) {
      if (!KnownHosts.isName(host)) {
        throw new ConfigException(
            ALLOWED_HOSTS.name(), host, "must be names such as bitloom.example, without a port");
      }
    }
    cors.forEach(ListenConfig::checkOrigin);
  }

  private static void checkOrigin(String origin) {
    if (!ORIGIN.matcher(origin).matches()) {
      throw new ConfigException(
          CORS.name(),
          origin,
          "must be origins such as https://app.example or http://localhost:3000, as browsers write"
              + " them");
    }
  }

  /** The names by which the HTTP port may be called. */
  public KnownHosts knownHosts() {
    return new KnownHosts(bind, allowedHosts);
  }

  static ListenConfig of(SettingValues values) {
    return new ListenConfig(
        values.get(BIND),
        values.get(GRPC_PORT),
        values.get(HTTP_PORT),
        values.get(PORTS_FILE),
        AccessConfig.of(values),
        values.get(ALLOWED_HOSTS),
        values.get(CORS),
        ConnectionsConfig.of(values));
  }

  /** Where clients and workers connect. */
  public PortConfig grpc() {
    return new PortConfig(bind, grpcPort, access.tls(), connections);
  }

  /** Where people and machines that watch connect. */
  public PortConfig http() {
    return new PortConfig(bind, httpPort, access.tls(), connections);
  }
}
