package io.bitloom.coordinator.redis;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.config.RedisConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Starts an embedded Redis in a folder of its own, or asks the one that runs elsewhere. */
public final class RedisExamination implements Examination {

  private static final String NAME = "redis";

  @Override
  public List<Finding> examine(Setup setup) {
    try {
      return setup.redis().equals(RedisConfig.EMBEDDED)
          ? List.of(embedded())
          : elsewhere(setup.redis());
    } catch (ConfigException e) {
      return List.of(
          Finding.fail(NAME, e.getMessage(), "see docs/reference/redis.md for what it must be"));
    } catch (BitloomException e) {
      return List.of(Finding.fail(NAME, e.getMessage(), "start it, or correct the URI of --redis"));
    } catch (IOException e) {
      return List.of(
          Finding.fail(
              NAME,
              e.getMessage(),
              "install a redis-server of 6.2 or later, or run one elsewhere: --redis URI"));
    }
  }

  private static Finding embedded() throws IOException {
    Path folder = Files.createTempDirectory("bitloom-redis");
    try (EmbeddedRedis redis = EmbeddedRedis.start(folder)) {
      try (RedisConnection connection = RedisConnection.connect(redis.uri(), "doctor")) {
        return connection
            .trouble()
            .map(why -> Finding.fail(NAME, "the embedded one: " + why, "see its log"))
            .orElseGet(() -> Finding.ok(NAME, "the embedded one starts and answers"));
      }
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  private static List<Finding> elsewhere(String uri) {
    try (RedisConnection connection =
        RedisConnection.connect(uri, RedisConfig.DEFAULTS.namespace())) {
      if (connection.trouble().isPresent()) {
        return List.of(
            Finding.fail(NAME, connection.trouble().get(), "see docs/reference/redis.md"));
      }
      if (connection.findings().isEmpty()) {
        return List.of(Finding.ok(NAME, "answers and is as it should be"));
      }
      return connection.findings().stream()
          .map(finding -> Finding.warn(NAME, finding.toString(), "see docs/reference/redis.md"))
          .toList();
    }
  }
}
