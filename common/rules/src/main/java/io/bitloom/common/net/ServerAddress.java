package io.bitloom.common.net;

import io.bitloom.common.config.ConfigException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a server listens, as people write it.
 *
 * <table>
 * <caption>What is understood</caption>
 * <tr><td>{@code host:7700}, {@code 10.0.0.1:7700}, {@code [::1]:7700}</td><td></td></tr>
 * <tr><td>{@code host}, {@code [::1]}</td><td>with the default port</td></tr>
 * <tr><td>{@code http://host:7700}</td><td>not secured; without a port 80</td></tr>
 * <tr><td>{@code https://host:7700}</td><td>by TLS; without a port 443</td></tr>
 * <tr><td>{@code dns:///host:7700}</td><td>the same as without {@code dns:///}</td></tr>
 * <tr><td>{@code unix:/path}, {@code unix:///path}</td><td>a Unix socket</td></tr>
 * </table>
 *
 * @param host name or IP address, an IPv6 address without its brackets; empty for a Unix socket
 * @param port 1 to 65535; 0 for a Unix socket
 * @param socket path of a Unix socket; empty for a host
 * @param security what the address says about TLS
 */
public record ServerAddress(String host, int port, String socket, Security security) {

  /** Where a coordinator listens unless it is told otherwise. */
  public static final int COORDINATOR_PORT = 7700;

  /** What an address says about how the connection is secured. */
  public enum Security {
    UNSAID,
    PLAIN,
    TLS
  }

  private static final int MAX_PORT = 65_535;
  private static final int HTTP_PORT = 80;
  private static final int HTTPS_PORT = 443;

  /** A socket's path and the zero after it have to fit into {@code sockaddr_un.sun_path}. */
  public static final int MAX_SOCKET_PATH_BYTES = 107;

  private static final Pattern SCHEME = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*)://.*");
  private static final Pattern HOST_AND_PORT =
      Pattern.compile("(\\[[^\\[\\]]*]|[^\\[\\]:]*)(?::([0-9]*))?");
  private static final Pattern BARE_IPV6 = Pattern.compile("[0-9A-Fa-f:.%]*:[0-9A-Fa-f:.%]*:.*");
  private static final Pattern DIGITS_AND_DOTS = Pattern.compile("[0-9.]+");
  private static final Pattern IPV4 =
      Pattern.compile("(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?!$)|$)){4}");

  /**
   * The address of a coordinator.
   *
   * @param key the setting's name, for the message
   * @throws ConfigException naming the setting and what it must be
   */
  public static ServerAddress coordinator(String key, String text) {
    return parse(key, text, COORDINATOR_PORT);
  }

  /**
   * Reads an address.
   *
   * @param key the setting's name, for the message
   * @param defaultPort of an address without port and scheme
   * @throws ConfigException naming the setting and what it must be
   */
  public static ServerAddress parse(String key, String text, int defaultPort) {
    return new Reading(key, text.strip()).address(defaultPort);
  }

  /** The address as gRPC wants it. */
  public String target() {
    return isSocket() ? toString() : "dns:///" + toString().replace("[", "%5B").replace("]", "%5D");
  }

  /** Whether it is a Unix socket. */
  public boolean isSocket() {
    return !socket.isEmpty();
  }

  /** Whether what is sent there stays on this machine: a Unix socket, localhost or its address. */
  public boolean isLocal() {
    return isSocket()
        || host.equalsIgnoreCase("localhost")
        || host.equals("::1")
        || (IPV4.matcher(host).matches() && host.startsWith("127."));
  }

  /** {@code host:port} or {@code unix:/path}. */
  @Override
  public String toString() {
    if (isSocket()) {
      return "unix:" + socket;
    }
    return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
  }

  /** One text on its way to an address. */
  private record Reading(String key, String text) {

    ServerAddress address(int defaultPort) {
      if (text.isEmpty()) {
        throw wrong("must be an address such as coordinator.example:7700");
      }
      if (text.startsWith("unix:")) {
        return socket(text.substring("unix:".length()));
      }
      if (text.startsWith("dns:")) {
        return dns(text.substring("dns:".length()), defaultPort);
      }
      Matcher scheme = SCHEME.matcher(text);
      if (!scheme.matches()) {
        return host(text, defaultPort, Security.UNSAID);
      }
      String rest = text.substring(scheme.end(1) + "://".length());
      return switch (scheme.group(1).toLowerCase(Locale.ROOT)) {
        case "http" -> host(withoutSlash(rest), HTTP_PORT, Security.PLAIN);
        case "https" -> host(withoutSlash(rest), HTTPS_PORT, Security.TLS);
        default ->
            throw wrong("must begin with http://, https://, dns:/// or unix:, or have no scheme");
      };
    }

    private ServerAddress socket(String path) {
      String file = path.startsWith("//") ? path.substring(2) : path;
      if (path.startsWith("//") && !file.startsWith("/") || file.isEmpty()) {
        throw wrong("must name the socket's file: unix:/path or unix:///path");
      }
      if (file.getBytes(StandardCharsets.UTF_8).length > MAX_SOCKET_PATH_BYTES) {
        throw wrong("must name a socket by at most " + MAX_SOCKET_PATH_BYTES + " bytes");
      }
      return new ServerAddress("", 0, file, Security.UNSAID);
    }

    private ServerAddress dns(String rest, int defaultPort) {
      if (rest.startsWith("///")) {
        return host(rest.substring(3), defaultPort, Security.UNSAID);
      }
      if (rest.startsWith("//")) {
        throw wrong("must not name a DNS server: write dns:///host:port");
      }
      return host(rest, defaultPort, Security.UNSAID);
    }

    private static String withoutSlash(String rest) {
      return rest.endsWith("/") ? rest.substring(0, rest.length() - 1) : rest;
    }

    private ServerAddress host(String rest, int defaultPort, Security security) {
      refuseWhatIsNoPartOfAnAddress(rest);
      Matcher parts = HOST_AND_PORT.matcher(rest);
      if (!parts.matches()) {
        throw wrong(
            BARE_IPV6.matcher(rest).matches()
                ? "must have its IPv6 address in brackets: [::1]:7700"
                : "must be host:port with a port of 1 to " + MAX_PORT);
      }
      String host = parts.group(1);
      int port = parts.group(2) == null ? defaultPort : port(parts.group(2));
      if (host.startsWith("[")) {
        String address = host.substring(1, host.length() - 1);
        if (hostOf(host, port) == null || address.indexOf('%') >= 0) {
          throw wrong("must have an IPv6 address, without a zone, in its brackets");
        }
        return new ServerAddress(address, port, "", security);
      }
      checkName(host, port);
      return new ServerAddress(host, port, "", security);
    }

    private void refuseWhatIsNoPartOfAnAddress(String rest) {
      if (rest.indexOf('@') >= 0) {
        throw wrong("must not have a user before the host");
      }
      if (rest.indexOf(',') >= 0) {
        throw wrong("must be a single address");
      }
      if (rest.indexOf('/') >= 0 || rest.indexOf('?') >= 0 || rest.indexOf('#') >= 0) {
        throw wrong("must end after the port");
      }
    }

    private void checkName(String host, int port) {
      if (host.isEmpty()) {
        throw wrong("must have a host before the port, for example 127.0.0.1:7700");
      }
      if (DIGITS_AND_DOTS.matcher(host).matches() && !IPV4.matcher(host).matches()) {
        throw wrong(
            host.indexOf('.') < 0
                ? "must have a host before the port, for example 127.0.0.1:" + host
                : "must have a host name or an IPv4 address of four numbers up to 255");
      }
      if (hostOf(host, port) == null) {
        throw wrong(
            host.indexOf('_') < 0
                ? "must have a host name of letters, digits, dots and dashes"
                : "must have a host name of letters, digits, dots and dashes, without the _");
      }
    }

    /** The host as gRPC's resolver will see it; null if it would refuse it. */
    private static String hostOf(String host, int port) {
      try {
        return new URI("//" + host + ":" + port).getHost();
      } catch (URISyntaxException e) {
        return null;
      }
    }

    private int port(String digits) {
      if (digits.isEmpty() || digits.length() > 5) {
        throw wrong("must have a port of 1 to " + MAX_PORT);
      }
      int port = Integer.parseInt(digits);
      if (port < 1 || port > MAX_PORT) {
        throw wrong("must have a port of 1 to " + MAX_PORT);
      }
      return port;
    }

    private ConfigException wrong(String message) {
      return new ConfigException(key, MaskedUri.of(text), message);
    }
  }
}
