package io.bitloom.coordinator.redis;

import io.bitloom.common.error.BitloomException;
import io.lettuce.core.RedisURI;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Where Redis is, as a URI says it. All may have {@code user:password@} before the first host.
 *
 * <ul>
 *   <li>{@code redis://host:6379}, {@code rediss://} with TLS: one server
 *   <li>{@code redis-sentinel://host:26379,host:26379/0#name}, {@code rediss-sentinel://}: the
 *       master of that name, whichever it is
 *   <li>{@code redis-cluster://host:6379,host:6379}, {@code rediss-cluster://}: a cluster of which
 *       these are some nodes
 * </ul>
 *
 * @param nodes where to begin; one but for clusters
 */
record RedisAddress(List<RedisURI> nodes, boolean cluster) {

  private static final String CLUSTER = "-cluster://";

  /**
   * Reads a URI.
   *
   * @throws BitloomException with {@code INVALID_FIELD} if this is not such a URI
   */
  static RedisAddress parse(String uri) {
    try {
      int scheme = uri.indexOf(CLUSTER);
      return scheme < 0
          ? new RedisAddress(List.of(RedisURI.create(uri)), false)
          : cluster(uri.substring(0, scheme) + "://", uri.substring(scheme + CLUSTER.length()));
    } catch (IllegalArgumentException e) {
      throw BitloomException.invalid(
          "redis",
          redacted(uri),
          "must be a URI like redis://127.0.0.1:6379, redis-sentinel://127.0.0.1:26379#name or"
              + " redis-cluster://127.0.0.1:6379");
    }
  }

  private static RedisAddress cluster(String scheme, String rest) {
    int at = rest.lastIndexOf('@') + 1;
    List<RedisURI> nodes = new ArrayList<>();
    for (String host : rest.substring(at).split(",", -1)) {
      nodes.add(RedisURI.create(scheme + rest.substring(0, at) + host));
    }
    return new RedisAddress(nodes, true);
  }

  /** A URI that may be shown: without user and password. */
  static String redacted(String uri) {
    return uri.replaceAll("//[^/]*@", "//***@");
  }

  @Override
  public String toString() {
    return nodes.stream()
        .flatMap(
            node ->
                node.getSentinels().isEmpty()
                    ? List.of(node).stream()
                    : node.getSentinels().stream())
        .map(node -> node.getHost() + ":" + node.getPort())
        .collect(Collectors.joining(", "));
  }
}
