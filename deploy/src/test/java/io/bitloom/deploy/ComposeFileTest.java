package io.bitloom.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.config.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The compose files say nothing that the programs do not know. */
class ComposeFileTest {

  private Map<String, Map<String, Object>> services;
  private Map<String, Map<String, Object>> withTokens;

  @BeforeEach
  void read() throws IOException {
    services = ComposeFile.read("compose.yaml").services();
    withTokens = ComposeFile.read("compose.tokens.yaml").services();
  }

  /** A service as its program sees it, with what the second file adds. */
  private ProgramContainer container(String name) {
    Map<String, String> variables = new TreeMap<>(ComposeFile.environment(services.get(name)));
    variables.putAll(ComposeFile.environment(withTokens.getOrDefault(name, Map.of())));
    Set<Integer> ports =
        Stream.of("expose", "ports")
            .flatMap(key -> ComposeFile.list(services.get(name), key).stream())
            .map(port -> Integer.parseInt(port.substring(port.lastIndexOf(':') + 1)))
            .collect(Collectors.toSet());
    String image = ComposeFile.text(services.get(name), "image").replaceFirst(":.*", "");
    return new ProgramContainer(
        image,
        ComposeFile.list(services.get(name), "command"),
        variables,
        ports,
        List.of(),
        Map.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"coordinator", "worker-1", "worker-2", "worker-gpu"})
  void aServiceIsWhatItsProgramUnderstands(String name) {
    assertEquals(List.of(), Programs.faults(container(name)));
  }

  @Test
  void whatAProgramDoesNotUnderstandIsFound() {
    ProgramContainer worker = container("worker-1");
    List<String> arguments = new ArrayList<>(worker.arguments());
    arguments.add("--http-prt=1");
    List<String> faults =
        Programs.faults(
            new ProgramContainer(
                worker.image(),
                arguments,
                Map.of("BITLOOM_POOOL", "x"),
                worker.ports(),
                List.of(),
                Map.of()));
    assertEquals(2, faults.size(), faults.toString());
  }

  @Test
  void theClientsVariablesAreOnesThatItReads() {
    ProgramContainer client = container("client");
    assertEquals(
        List.of(),
        Programs.faults(
            new ProgramContainer(
                client.image(),
                List.of("submit", "prompts.jsonl", "--out", "out"),
                client.variables(),
                client.ports(),
                List.of(),
                Map.of())));
  }

  @Test
  void onlyTheCoordinatorsPortsArePublishedOnLoopbackAlone() {
    services.forEach(
        (name, service) ->
            assertEquals(
                name.equals("coordinator")
                    ? List.of("127.0.0.1:7700:7700", "127.0.0.1:7701:7701")
                    : List.of(),
                ComposeFile.list(service, "ports"),
                name));
  }

  @Test
  void composeWaitsLongerThanAProgramTakesToStop() {
    Map.of("worker-1", "--shutdown-grace=", "coordinator", "--drain-timeout=")
        .forEach(
            (name, option) -> {
              String time =
                  ComposeFile.list(services.get(name), "command").stream()
                      .filter(word -> word.startsWith(option))
                      .map(word -> word.substring(option.length()))
                      .findFirst()
                      .orElseThrow();
              String grace = ComposeFile.text(services.get(name), "stop_grace_period");
              assertTrue(
                  Settings.duration("stop", grace).compareTo(Settings.duration("program", time))
                      > 0,
                  name);
            });
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
}
