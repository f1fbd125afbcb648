package io.bitloom.coordinator.queue.redis;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.queue.redis.SearchCase.Move;
import io.bitloom.coordinator.redis.EmbeddedRedis;
import io.bitloom.coordinator.redis.RedisConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Searches small cases for an order of half-steps that loses or doubles a prompt. How it searches,
 * {@link QueueSearch} says; which half-steps there are, {@link HalfStep}.
 */
class QueueSearchIT {

  private static final Logger LOG = LoggerFactory.getLogger(QueueSearchIT.class);

  /** {@code true} searches cases, too, for which every run has no time. */
  private static final String LARGE = "bitloom.test.search.large";

  private static EmbeddedRedis server;
  private static RedisConnection redis;

  /** A Redis of its own: nothing has to be on disk, and each state replaces the one before. */
  @BeforeAll
  static void start() throws IOException {
    server =
        EmbeddedRedis.start(
            Files.createTempDirectory(Files.createDirectories(Path.of("target")), "search"));
    redis = RedisConnection.connect(server.uri(), "search");
    redis.call(r -> r.configSet("appendonly", "no")).toCompletableFuture().join();
  }

  @AfterAll
  static void stop() {
    redis.close();
    server.close();
  }

  static Stream<SearchCase> cases() {
    return Boolean.getBoolean(LARGE) ? Stream.concat(small(), large()) : small();
  }

  private static Stream<SearchCase> small() {
    return Stream.of(
        one("expiry", 2, Move.LEASE, 2, Move.EXPIRE, 1),
        one("death", 2, Move.LEASE, 2, Move.EXPIRE, 1, Move.DIE, 1),
        one("failure", 2, Move.LEASE, 2, Move.FAIL, 1, Move.EXPIRE, 1),
        tried("last attempt", 3, 1, Move.LEASE, 1, Move.FAIL, 1, Move.EXPIRE, 1, Move.DIE, 1),
        one("release", 2, Move.LEASE, 2, Move.RELEASE, 1, Move.EXPIRE, 1),
        one("cancel", 2, Move.LEASE, 1, Move.CANCEL, 1, Move.EXPIRE, 1, Move.DIE, 1),
        one("sweep", 3, Move.LEASE, 1, Move.EXPIRE, 1, Move.SWEEP, 1),
        one("append", 3, Move.APPEND, 1, Move.LEASE, 1, Move.CANCEL, 1, Move.DIE, 1),
        one("pause", 3, Move.LEASE, 1, Move.PAUSE, 1, Move.EXPIRE, 1, Move.DIE, 1),
        two("two jobs", 3, Move.LEASE, 1, Move.CANCEL, 1));
  }

  private static Stream<SearchCase> large() {
    return Stream.of(
        one("two failures", 2, Move.LEASE, 2, Move.FAIL, 2, Move.EXPIRE, 1),
        one("release and death", 2, Move.LEASE, 2, Move.RELEASE, 1, Move.EXPIRE, 1, Move.DIE, 1),
        one("sweep and two leases", 3, Move.LEASE, 2, Move.EXPIRE, 1, Move.SWEEP, 1),
        tried("two expiries", 3, 3, Move.LEASE, 3, Move.EXPIRE, 2),
        two("two jobs and death", 3, Move.LEASE, 1, Move.CANCEL, 1, Move.EXPIRE, 1, Move.DIE, 1));
  }

  private static SearchCase one(String name, int images, Object... movesAndTimes) {
    return tried(name, images, 2, movesAndTimes);
  }

  private static SearchCase tried(String name, int images, int attempts, Object... movesAndTimes) {
    return new SearchCase(name, Map.of("a", 3), images, attempts, SearchCase.times(movesAndTimes));
  }

  private static SearchCase two(String name, int images, Object... movesAndTimes) {
    return new SearchCase(name, Map.of("a", 2, "b", 1), images, 2, SearchCase.times(movesAndTimes));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void noOrderOfHalfStepsLosesOrDoublesAPrompt(SearchCase some) {
    long began = System.nanoTime();
    QueueSearch.Visited visited = new QueueSearch(redis, some).search();
    LOG.info("{}: {} in {} ms", some.name(), visited, (System.nanoTime() - began) / 1_000_000);
    assertTrue(visited.states() > 100);
  }
}
