package io.bitloom.coordinator.redis;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.PortBinding;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/** What Redis in a container can suffer. Nothing is lost, and calls fail at once meanwhile. */
class RedisFaultsIT {

  @TempDir Path directory;
  private GenericContainer<?> redis;
  private RedisOutage outage;

  @BeforeEach
  void start() throws Exception {
    boolean engine = TestRedis.containerEngineHasImage();
    if (!engine) {
      System.out.println("RedisFaultsIT is skipped: no container engine with " + TestRedis.IMAGE);
    }
    assumeTrue(engine);
    int port = RedisServers.freePort();
    redis =
        new GenericContainer<>(DockerImageName.parse(TestRedis.IMAGE))
            .withExposedPorts(6379)
            .withCreateContainerCmdModifier(
                create ->
                    create.withHostConfig(
                        HostConfig.newHostConfig()
                            .withPortBindings(PortBinding.parse("127.0.0.1:" + port + ":6379"))))
            .withCommand(
                "redis-server",
                "--protected-mode",
                "no",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always");
    redis.start();
    outage = new RedisOutage(directory, port);
  }

  @AfterEach
  void stop() {
    if (outage != null) {
      outage.close();
    }
    if (redis != null) {
      redis.stop();
    }
  }

  private DockerClient engine() {
    return redis.getDockerClient();
  }

  @Test
  void aPauseIsSurvived() throws Exception {
    outage.survives(
        () -> engine().pauseContainerCmd(redis.getContainerId()).exec(),
        () -> engine().unpauseContainerCmd(redis.getContainerId()).exec());
  }

  @Test
  void aKillIsSurvived() throws Exception {
    outage.survives(
        () -> engine().killContainerCmd(redis.getContainerId()).exec(),
        () -> engine().startContainerCmd(redis.getContainerId()).exec());
  }
}
