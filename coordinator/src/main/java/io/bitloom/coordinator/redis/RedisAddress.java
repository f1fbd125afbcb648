package io.bitloom.coordinator.redis;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.net.MaskedUri;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Where Redis is, as a URI says it. All may have {@code user:password@} before the first host.
 *
 * <p>What a URI cannot hold there, such as {@code /} or a second {@code @}, may be written as it
 * is.
 *
 * <ul>
 *   <li>{@code redis://host:6379}, {@code rediss://} with TLS: one server
 *   <li>{@code redis-socket:///path}: one server of this machine, by a Unix socket
 *   <li>{@code redis-sentinel://host:26379,host:26379/0#name}, {@code rediss-sentinel://}: the
 *       master of that name, whichever it is
 *   <li>{@code redis-cluster://host:6379,host:6379}, {@code rediss-cluster://}: a cluster of which
 *       these are some nodes
 * </ul>
 *
 * With TLS the query may name PEM files: {@code ?ca=FILE} has the certificates that Redis's must be
 * signed by (default: those that Java trusts), {@code &cert=FILE&key=FILE} is shown to a Redis that
 * asks for one (the key: PKCS#8).
 *
 * @param nodes where to begin; one but for clusters
 * @param files of the query, by their names
 */
record RedisAddress(List<RedisURI> nodes, boolean cluster, Map<String, Path> files) {

  private static final String CLUSTER = "-cluster://";

  private static final Pattern QUERY = Pattern.compile("\\?([^#]*)");
  private static final Pattern FILE = Pattern.compile("(ca|cert|key)=(.+)");

  private static final String HOSTS = "[^/?#@]+(?:/\\d*)?";

  /** Scheme, then user and password: they end with the first @ behind which hosts can be read. */
  private static final Pattern USER =
      Pattern.compile(
          ("^([a-z-]+://)(?!HOSTS\\?(?:ca|cert|key)=)(.*?)@"
                  + "(?=HOSTS(?:\\?[a-z]+=[^#]*)?(?:#[^@/?#]*)?$)")
              .replace("HOSTS", HOSTS),
          Pattern.DOTALL);

  /** What cannot stand before the hosts as it is; what is encoded already can. */
  private static final Pattern FOREIGN =
      Pattern.compile("%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9._~!$&'()*+,;=:%-]");

  /**
   * Reads a URI.
   *
   * @throws BitloomException with {@code INVALID_FIELD} if this is not such a URI, or a file that
   *     it names cannot be read
   */
  static RedisAddress parse(String text) {
    String uri = encoded(text);
    Map<String, Path> files = new TreeMap<>();
    Matcher query = QUERY.matcher(uri);
    String bare = uri;
    if (query.find()) {
      List<String> others = new ArrayList<>();
      for (String parameter : query.group(1).split("&")) {
        Matcher file = FILE.matcher(parameter);
        if (file.matches()) {
          files.put(file.group(1), file(file.group(1), file.group(2)));
        } else {
          others.add(parameter);
        }
      }
      String rest = others.isEmpty() ? "" : "?" + String.join("&", others);
      bare = uri.substring(0, query.start()) + rest + uri.substring(query.end());
    }
    if (files.containsKey("cert") != files.containsKey("key")) {
      throw BitloomException.invalid(
          "redis", MaskedUri.of(text), "must name cert and key together");
    }
    try {
      int scheme = bare.indexOf(CLUSTER);
      return scheme < 0
          ? new RedisAddress(List.of(RedisURI.create(bare)), false, files)
          : new RedisAddress(
              nodes(bare.substring(0, scheme) + "://", bare.substring(scheme + CLUSTER.length())),
              true,
              files);
    } catch (IllegalArgumentException e) {
      throw BitloomException.invalid(
          "redis",
          MaskedUri.of(text),
          "must be a URI like redis://127.0.0.1:6379, redis-sentinel://127.0.0.1:26379#name or"
              + " redis-cluster://127.0.0.1:6379");
    }
  }

  private static Path file(String name, String path) {
    if (!Files.isReadable(Path.of(path))) {
      throw BitloomException.invalid(
          "redis", name + "=" + MaskedUri.of(path), "must name a readable file");
    }
    return Path.of(path);
  }

  private static String encoded(String uri) {
    return USER.matcher(uri)
        .replaceFirst(
            found -> Matcher.quoteReplacement(found.group(1) + encodedUser(found.group(2)) + "@"));
  }

  private static String encodedUser(String user) {
    return FOREIGN
        .matcher(user)
        .replaceAll(
            found -> URLEncoder.encode(found.group(), StandardCharsets.UTF_8).replace("+", "%20"));
  }

  private static List<RedisURI> nodes(String scheme, String rest) {
    int at = rest.lastIndexOf('@') + 1;
    List<RedisURI> nodes = new ArrayList<>();
    for (String host : rest.substring(at).split(",", -1)) {
      nodes.add(RedisURI.create(scheme + rest.substring(0, at) + host));
    }
    return nodes;
  }

  /** How connections are secured if they are. */
  SslOptions tls() {
    SslOptions.Builder options = SslOptions.builder().jdkSslProvider();
    if (files.containsKey("ca")) {
      options.trustManager(files.get("ca").toFile());
    }
    if (files.containsKey("cert")) {
      options.keyManager(files.get("cert").toFile(), files.get("key").toFile(), null);
    }
    return options.build();
  }

  @Override
  public String toString() {
    return nodes.stream()
        .flatMap(
            node ->
                node.getSentinels().isEmpty()
                    ? List.of(node).stream()
                    : node.getSentinels().stream())
        .map(
            node ->
                node.getSocket() == null
                    ? node.getHost() + ":" + node.getPort()
                    : "its Unix socket")
        .collect(Collectors.joining(", "));
  }
}
