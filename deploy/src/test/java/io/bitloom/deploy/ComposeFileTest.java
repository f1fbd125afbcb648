package io.bitloom.deploy;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.config.Settings;
import io.bitloom.coordinator.config.CoordinatorConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/** The compose files say nothing that the programs do not know. */
class ComposeFileTest {

  private Map<String, Map<String, Object>> services;
  private Map<String, Map<String, Object>> withTokens;

  @BeforeEach
  void read() throws IOException {
    services = ComposeFile.read("compose.yaml").services();
    withTokens = ComposeFile.read("compose.tokens.yaml").services();
  }

  private CoordinatorConfig coordinator() {
    Map<String, Object> service = services.get("coordinator");
    return CommandLines.coordinator(
        ComposeFile.list(service, "command"), ComposeFile.environment(service));
  }

  @Test
  void theCoordinatorListensWhereItsPortsArePublishedOnLoopbackAlone() {
    CoordinatorConfig config = coordinator();
    List<String> ports = ComposeFile.list(services.get("coordinator"), "ports");
    assertEquals(
        List.of(
            "127.0.0.1:7700:" + config.listen().grpcPort(),
            "127.0.0.1:7701:" + config.listen().httpPort()),
        ports);
    assertEquals("0.0.0.0", config.listen().bind());
    services.forEach(
        (name, service) ->
            assertTrue(name.equals("coordinator") || !service.containsKey("ports"), name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"worker-1", "worker-2", "worker-gpu"})
  void aWorkerKnowsItsOptions(String name) {
    ParseResult given = CommandLines.worker(ComposeFile.list(services.get(name), "command"));
    assertEquals(
        List.of("coordinator:" + coordinator().listen().grpcPort()),
        given.matchedOptionValue("--coordinator", List.of()));
    assertEquals(7702, given.<Integer>matchedOptionValue("--http-port", 0));
    assertEquals("0.0.0.0", given.matchedOptionValue("--http-bind", ""));
  }

  @Test
  void optionsThatAreNotThereAreFound() {
    assertThrows(
        CommandLine.ParameterException.class, () -> CommandLines.worker(List.of("--http-prt=1")));
    assertThrows(
        CommandLine.ParameterException.class,
        () -> CommandLines.coordinator(List.of("--drain=5s"), Map.of()));
  }

  @Test
  void everyVariableIsRead() {
    Map<String, Set<String>> known =
        Map.of(
            "coordinator", CommandLines.coordinatorVariables(),
            "worker-1", CommandLines.workerVariables(),
            "client", CommandLines.clientVariables());
    known.forEach(
        (name, variables) ->
            Stream.of(services, withTokens)
                .map(file -> ComposeFile.environment(file.get(name)).keySet())
                .forEach(used -> assertTrue(variables.containsAll(used), name + ": " + used)));
    assertTrue(CommandLines.coordinatorVariables().contains("BITLOOM_TENANTS"));
    assertTrue(CommandLines.workerVariables().contains("BITLOOM_TOKEN"));
    assertTrue(CommandLines.clientVariables().contains("BITLOOM_TOKEN"));
  }

  @Test
  void composeWaitsLongerThanAProgramTakesToStop() {
    ParseResult worker = CommandLines.worker(ComposeFile.list(services.get("worker-1"), "command"));
    assertTrue(
        Settings.duration("stop", ComposeFile.text(services.get("worker-1"), "stop_grace_period"))
                .compareTo(
                    Settings.duration("grace", worker.matchedOptionValue("--shutdown-grace", "")))
            > 0);
    assertTrue(
        Settings.duration(
                    "stop", ComposeFile.text(services.get("coordinator"), "stop_grace_period"))
                .compareTo(coordinator().drainTimeout())
            > 0);
  }

  @Test
  void everyContainerIsLockedDown() {
    services.forEach(
        (name, service) -> {
          assertEquals(Boolean.TRUE, service.get("read_only"), name);
          assertEquals(List.of("ALL"), service.get("cap_drop"), name);
          assertEquals(List.of("no-new-privileges:true"), service.get("security_opt"), name);
        });
  }

  @Test
  void everyImageIsOneThatIsBuiltOrRedis() throws IOException {
    String build =
        Files.readString(
            ComposeFile.FOLDER.resolve("../images/src/main/java/io/bitloom/images/Program.java"));
    services.forEach(
        (name, service) -> {
          String image = ComposeFile.text(service, "image");
          assertTrue(
              image.equals("redis:7")
                  || build.contains('"' + image.replaceFirst(":latest$", "") + '"'),
              image);
        });
  }

  @Test
  void theClientsVariablesAreEnoughForACommand() {
    assertDoesNotThrow(
        () -> CommandLines.client(List.of("submit", "prompts.jsonl", "--out", "out")));
  }
}
