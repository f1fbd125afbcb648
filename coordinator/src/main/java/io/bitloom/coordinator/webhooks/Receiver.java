package io.bitloom.coordinator.webhooks;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/**
 * Where a webhook goes, read from its URL.
 *
 * @param host in small letters; an address of version 6 without brackets
 * @param port as the URL or its scheme says
 * @param target path and query, as they are sent
 */
record Receiver(boolean tls, String host, int port, String target) {

  static final int MOST_CHARACTERS = 2048;

  /**
   * @throws IllegalArgumentException with what the URL must be, if it cannot be used
   */
  static Receiver parse(String url) {
    if (url.length() > MOST_CHARACTERS) {
      throw new IllegalArgumentException("must have at most " + MOST_CHARACTERS + " characters");
    }
    if (!url.chars().allMatch(c -> c > ' ' && c < 127)) {
      throw new IllegalArgumentException("must have ASCII characters only");
    }
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("must be an http or https URL");
    }
    String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
    boolean tls = scheme.equals("https");
    if (!tls && !scheme.equals("http")) {
      throw new IllegalArgumentException("must be an http or https URL");
    }
    if (uri.getRawAuthority() != null && uri.getRawAuthority().contains("@")) {
      throw new IllegalArgumentException("must not have a user or a password");
    }
    if (uri.getRawFragment() != null) {
      throw new IllegalArgumentException("must not have a fragment");
    }
    return new Receiver(tls, host(uri), port(uri, tls), target(uri));
  }

  private static String host(URI uri) {
    String host = uri.getHost();
    if (host == null || host.isEmpty() || host.contains("%")) {
      throw new IllegalArgumentException("must have the name or the address of a host");
    }
    String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    return bare.toLowerCase(Locale.ROOT);
  }

  private static int port(URI uri, boolean tls) {
    int port = uri.getPort() == -1 ? tls ? 443 : 80 : uri.getPort();
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException("must have a port of 1 to 65535");
    }
    return port;
  }

  private static String target(URI uri) {
    String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    return uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
  }

  /** The host with its port, as it is told apart from others. */
  String place() {
    return host + " " + port;
  }
}
