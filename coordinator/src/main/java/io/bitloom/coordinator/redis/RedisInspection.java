package io.bitloom.coordinator.redis;

import io.bitloom.common.config.ConfigException;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the Redis that a coordinator was given, at the start and after every reconnect: what it
 * must be like is in {@link RedisRules}. What is found is logged once, until it changes.
 */
final class RedisInspection {

  private static final Logger LOG = LoggerFactory.getLogger(RedisInspection.class);

  private static final Duration PAUSE = Duration.ofMillis(500);

  private final Supplier<CompletionStage<List<RedisFinding>>> findings;
  private volatile List<RedisFinding> known = List.of();
  private volatile boolean due;

  private RedisInspection(Supplier<CompletionStage<List<RedisFinding>>> findings) {
    this.findings = findings;
  }

  static RedisInspection of(
      RedisAddress address, StatefulRedisConnection<String, byte[]> connection, int replicas) {
    return new RedisInspection(
        () ->
            RedisServerReport.ask(address.toString(), connection.async())
                .thenApply(report -> RedisRules.judge(report, false, replicas)));
  }

  static RedisInspection of(
      StatefulRedisClusterConnection<String, byte[]> connection, int replicas) {
    return new RedisInspection(() -> judge(connection, replicas));
  }

  /** Every server has its own view of the cluster. */
  private static CompletionStage<List<RedisFinding>> judge(
      StatefulRedisClusterConnection<String, byte[]> connection, int replicas) {
    CompletionStage<List<RedisFinding>> all = CompletableFuture.completedStage(List.of());
    for (RedisClusterNode node : connection.getPartitions()) {
      if (node.getRole().isUpstream() && !node.hasNoSlots()) {
        all = all.thenCombine(judge(connection, node, replicas), RedisInspection::both);
      }
    }
    return all;
  }

  private static CompletionStage<List<RedisFinding>> judge(
      StatefulRedisClusterConnection<String, byte[]> connection,
      RedisClusterNode node,
      int replicas) {
    String place = node.getUri().getHost() + ":" + node.getUri().getPort();
    return connection
        .getConnectionAsync(node.getNodeId())
        .thenCompose(
            of ->
                of.async()
                    .clusterInfo()
                    .thenApply(RedisServerReport::fields)
                    .thenApply(info -> RedisRules.judgeCluster(place, info))
                    .thenCombine(
                        RedisServerReport.ask(place, of.async())
                            .thenApply(report -> RedisRules.judge(report, true, replicas)),
                        RedisInspection::both))
        .exceptionally(e -> List.of(RedisRules.missing(place)));
  }

  private static List<RedisFinding> both(List<RedisFinding> some, List<RedisFinding> others) {
    return Stream.of(some, others).flatMap(List::stream).distinct().toList();
  }

  /**
   * Looks for the first time; waits for the answer.
   *
   * @throws ConfigException if this Redis must not be used
   * @throws RedisException if it does not answer
   */
  void check() {
    check(Duration.ZERO, () -> {});
  }

  /**
   * Likewise, and waits for a replica of a cluster that is about to take over.
   *
   * @param patience for how long
   * @param before each further look
   */
  void check(Duration patience, Runnable before) {
    long end = System.nanoTime() + patience.toNanos();
    lookNow();
    while (failover() && System.nanoTime() < end) {
      LockSupport.parkNanos(PAUSE.toNanos());
      before.run();
      lookNow();
    }
    for (RedisFinding finding : known) {
      if (finding.refused()) {
        throw finding.refusal();
      }
    }
  }

  private void lookNow() {
    try {
      look().toCompletableFuture().join();
    } catch (CompletionException e) {
      throw new RedisException("it does not answer INFO", RedisErrors.cause(e));
    }
  }

  /** Whether all that is refused passes by itself, and something is. */
  private boolean failover() {
    List<RedisFinding> refused = known.stream().filter(RedisFinding::refused).toList();
    return !refused.isEmpty()
        && refused.stream().allMatch(f -> f.weight() == RedisFinding.Weight.FAILOVER);
  }

  /** It may be another Redis now, or have another configuration. */
  void lookAgain() {
    due = true;
    lookIfDue();
  }

  /** Looks if that is to be done, or if what was found last must not stay. */
  void lookIfDue() {
    if (due || refusal().isPresent()) {
      look();
    }
  }

  /** What was found last. */
  List<RedisFinding> known() {
    return known;
  }

  /** Why this Redis must not be used, if that is so. */
  Optional<String> refusal() {
    return known.stream().filter(RedisFinding::refused).findFirst().map(RedisFinding::toString);
  }

  private CompletionStage<Void> look() {
    return findings.get().thenAccept(this::found).whenComplete((done, e) -> due = e != null);
  }

  private synchronized void found(List<RedisFinding> found) {
    if (found.equals(known)) {
      return;
    }
    known = List.copyOf(found);
    for (RedisFinding finding : found) {
      if (finding.refused()) {
        LOG.error("{}", finding);
      } else {
        LOG.warn("{}", finding);
      }
    }
    if (found.isEmpty()) {
      LOG.info("Redis is as it should be again");
    }
  }
}
