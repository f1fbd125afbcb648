package io.bitloom.coordinator.redis;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.NotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * The Redis of the tests, one for the whole run: that of {@code BITLOOM_TEST_REDIS_URI}, else one
 * in a container where an engine is reachable and has the image or gets it quickly, else the
 * embedded server. The log says which. Tests share it, so each takes a namespace of its own.
 */
public final class TestRedis {

  private static final Logger LOG = LoggerFactory.getLogger(TestRedis.class);
  static final String IMAGE = System.getenv().getOrDefault("BITLOOM_TEST_REDIS_IMAGE", "redis:7");
  private static final int PULL_SECONDS = 30;

  private static String uri;

  private TestRedis() {}

  /** Where it listens; it is started first if it has to be. */
  public static synchronized String uri() {
    if (uri == null) {
      uri = choose();
    }
    return uri;
  }

  private static String choose() {
    String given = System.getenv("BITLOOM_TEST_REDIS_URI");
    if (given != null) {
      LOG.info("Tests use the Redis of BITLOOM_TEST_REDIS_URI, {}", given);
      return given;
    }
    return containerEngineHasImage() ? container() : embedded();
  }

  /** Whether a container engine is reachable and has the image of Redis, or gets it quickly. */
  static boolean containerEngineHasImage() {
    try {
      if (!DockerClientFactory.instance().isDockerAvailable()) {
        return false;
      }
      DockerClient engine = DockerClientFactory.instance().client();
      return has(engine)
          || engine.pullImageCmd(IMAGE).start().awaitCompletion(PULL_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (RuntimeException e) {
      LOG.info("No container of {}: {}", IMAGE, e.toString());
      return false;
    }
  }

  private static boolean has(DockerClient engine) {
    try {
      return engine.inspectImageCmd(IMAGE).exec() != null;
    } catch (NotFoundException e) {
      return false;
    }
  }

  private static String container() {
    GenericContainer<?> redis =
        new GenericContainer<>(DockerImageName.parse(IMAGE))
            .withExposedPorts(6379)
            .withCommand(
                "redis-server", "--save", "", "--appendonly", "no", "--protected-mode", "no");
    redis.start();
    Runtime.getRuntime().addShutdownHook(new Thread(redis::stop));
    String address = "redis://" + redis.getHost() + ":" + redis.getMappedPort(6379);
    LOG.info("Tests use a Redis container of {}, {}", IMAGE, address);
    return address;
  }

  private static String embedded() {
    try {
      Path directory =
          Files.createTempDirectory(Files.createDirectories(Path.of("target")), "redis");
      EmbeddedRedis redis = EmbeddedRedis.start(directory);
      Runtime.getRuntime().addShutdownHook(new Thread(redis::close));
      LOG.info("Tests use the embedded Redis server, {}", redis.uri());
      return redis.uri();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
