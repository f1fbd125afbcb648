package io.bitloom.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.bitloom.coordinator.redis.RedisServers;
import io.bitloom.coordinator.redis.TestRedis;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainIT {

  @TempDir Path directory;

  private CoordinatorProcess launch(String... more) throws IOException {
    List<String> options = new ArrayList<>(CoordinatorProcess.usualOptions(directory));
    options.addAll(
        List.of("--redis", TestRedis.uri(), "--redis-namespace", "test-" + UUID.randomUUID()));
    options.addAll(List.of(more));
    return CoordinatorProcess.launch(directory, List.of(), options);
  }

  @Test
  void aTermSignalStopsItInOrder() throws Exception {
    try (CoordinatorProcess coordinator = launch()) {
      JsonObject ports = coordinator.ports();
      assertTrue(ports.get("grpc").getAsInt() > 0);
      assertTrue(ports.get("http").getAsInt() > 0);
      assertEquals(TestRedis.uri(), ports.get("redis").getAsString());
      assertTrue(coordinator.output().contains("Bitloom coordinator is ready: gRPC 127.0.0.1:"));
      coordinator.process().destroy();
      assertEquals(0, coordinator.exitCode());
      assertFalse(coordinator.output().contains("\tat "), coordinator.output());
    }
  }

  @Test
  void thePasswordOfRedisIsInNoLogAndInNoFileThatOthersCanRead() throws Exception {
    String password = "secret@secret/secret";
    int port = RedisServers.freePort();
    try (RedisServers redis = new RedisServers(directory)) {
      redis.start(port, List.of("requirepass " + password));
      String uri = "redis://:" + password + "@127.0.0.1:" + port;
      try (CoordinatorProcess coordinator = launch("--redis=" + uri)) {
        assertEquals(uri, coordinator.ports().get("redis").getAsString());
        assertFalse(coordinator.output().contains("secret"), coordinator.output());
        assertEquals(
            "rw-------",
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(directory.resolve("ports.json"))));
      }
    }
  }

  @Test
  void tokensAreTakenInPlainTextFromOtherMachinesOnlyIfThatIsSaidAloud() throws Exception {
    Path tenants =
        Files.writeString(
            directory.resolve("tenants.json"),
            "{\"tenants\": [{\"name\": \"art\", \"tokens\": [{\"sha256\": \""
                + "0".repeat(64)
                + "\", \"roles\": [\"client\"]}]}]}");
    SelfSigned certificate = SelfSigned.create(directory, "server");
    String[] beyond = {"--bind=0.0.0.0", "--tenants=" + tenants};
    try (CoordinatorProcess coordinator = launch(beyond)) {
      assertEquals(2, coordinator.exitCode());
      assertTrue(coordinator.output().contains("--insecure"), coordinator.output());
    }
    try (CoordinatorProcess coordinator = launch(beyond[0], beyond[1], "--insecure")) {
      assertTrue(coordinator.ports().has("grpc"));
    }
    try (CoordinatorProcess coordinator =
        launch(
            beyond[0],
            beyond[1],
            "--tls-cert=" + certificate.certificate(),
            "--tls-key=" + certificate.key())) {
      assertTrue(coordinator.ports().has("grpc"));
    }
  }

  @Test
  void itsOwnRedisNeedsNoProgramOfTheMachine() throws Exception {
    try (CoordinatorProcess coordinator =
        CoordinatorProcess.launch(
            directory,
            List.of(),
            CoordinatorProcess.usualOptions(directory),
            Map.of("PATH", directory.resolve("empty").toString()))) {
      assertTrue(coordinator.ports().get("redis").getAsString().startsWith("redis-socket:"));
    }
  }

  @Test
  void itStartsWithAFileOfSettings() throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("coordinator.yaml"),
            String.join(
                "\n",
                "data: " + directory.resolve("data"),
                "redis: " + TestRedis.uri(),
                "redis-namespace: test-" + UUID.randomUUID(),
                "grpc-port: 0",
                "http-port: 0",
                "ports-file: " + directory.resolve("ports.json")));
    try (CoordinatorProcess coordinator =
        CoordinatorProcess.launch(directory, List.of(), List.of("--config", file.toString()))) {
      assertEquals(TestRedis.uri(), coordinator.ports().get("redis").getAsString());
    }
  }

  @Test
  void itEndsWithItsParentIfItIsAskedTo() throws Exception {
    try (CoordinatorProcess coordinator = launch("--exit-on-stdin-close")) {
      coordinator.ports();
      coordinator.process().getOutputStream().close();
      assertEquals(0, coordinator.exitCode());
    }
  }

  @Test
  void anAddressInUseEndsItWithOneLine() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        CoordinatorProcess coordinator = launch("--http-port=" + taken.getLocalPort())) {
      assertEquals(1, coordinator.exitCode());
      assertTrue(
          coordinator.output().contains("127.0.0.1:" + taken.getLocalPort()), coordinator.output());
      assertFalse(coordinator.output().contains("\tat "), coordinator.output());
    }
  }

  @Test
  void aRedisThatIsNotThereEndsItWithOneLine() throws Exception {
    try (CoordinatorProcess coordinator = launch("--redis=redis://127.0.0.1:1")) {
      assertEquals(1, coordinator.exitCode());
      assertTrue(coordinator.output().contains("127.0.0.1:1"), coordinator.output());
      assertFalse(coordinator.output().contains("\tat "), coordinator.output());
    }
    assertFalse(Files.exists(directory.resolve("ports.json")));
  }

  @Test
  void dataOfAVersionThatItDoesNotKnowEndItBeforeAndAfterItsStart() throws Exception {
    int port = RedisServers.freePort();
    try (RedisServers redis = new RedisServers(directory)) {
      redis.start(port, List.of());
      String uri = "--redis=redis://127.0.0.1:" + port;
      String version = "older:{index}:version";
      try (CoordinatorProcess coordinator = launch(uri, "--redis-namespace=older")) {
        coordinator.ports();
        redis.await(port, commands -> commands.set(version, "3").equals("OK"));
        assertEquals(1, coordinator.exitCode());
        assertTrue(coordinator.output().contains("The coordinator stops: redis has data ("));
      }
      try (CoordinatorProcess coordinator = launch(uri, "--redis-namespace=older")) {
        assertEquals(2, coordinator.exitCode());
        assertEquals(1, coordinator.output().lines().filter(l -> l.contains(version)).count());
        assertTrue(
            coordinator.output().contains("must be 2 or older, not \"3\""), coordinator.output());
        assertFalse(coordinator.output().contains("\tat "), coordinator.output());
      }
    }
  }

  @Test
  void aSecondOneOnTheSameDataIsToldWhoHasThemUnlessBothShareThem() throws Exception {
    List<String> embedded =
        List.of("--data", directory.resolve("data").toString(), "--grpc-port=0", "--http-port=0");
    List<String> first = new ArrayList<>(embedded);
    first.add("--ports-file=" + directory.resolve("ports.json"));
    try (CoordinatorProcess holder = CoordinatorProcess.launch(directory, List.of(), first)) {
      holder.ports();
      for (List<String> more : List.of(List.<String>of(), List.of("--share-data"))) {
        List<String> options = new ArrayList<>(embedded);
        options.addAll(more);
        try (CoordinatorProcess second = CoordinatorProcess.launch(directory, List.of(), options)) {
          assertEquals(2, second.exitCode());
          assertEquals(1, second.output().lines().count(), second.output());
          assertTrue(
              second
                  .output()
                  .contains(
                      directory.resolve("data")
                          + " belongs to process "
                          + holder.process().pid()
                          + " (./bitloom coordinator --data "),
              second.output());
        }
      }
      holder.process().destroyForcibly().waitFor();
    }
    first.add("--share-data");
    try (CoordinatorProcess afterwards = CoordinatorProcess.launch(directory, List.of(), first)) {
      afterwards.ports();
    }
  }
}
