package io.bitloom.coordinator.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.config.ConfigException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingValuesTest {

  @TempDir private Path directory;

  private Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("coordinator.yaml"), text);
  }

  private SettingValues values(
      Map<String, String> options, Map<String, String> environment, String file)
      throws IOException {
    return SettingValues.of(
        CoordinatorConfig.SETTINGS, options, environment, Optional.of(file(file)));
  }

  @Test
  void anOptionGoesBeforeAVariableBeforeTheFileBeforeTheDefault() throws IOException {
    SettingValues values =
        values(
            Map.of("grpc-port", "1"),
            Map.of("BITLOOM_GRPC_PORT", "2", "BITLOOM_HTTP_PORT", "2", "BITLOOM_OTHER", "x"),
            "grpc-port: 3\nhttp-port: 3\nmax-attempts: 3\n");
    assertEquals(1, values.get(ListenConfig.GRPC_PORT));
    assertEquals(2, values.get(ListenConfig.HTTP_PORT));
    assertEquals(3, values.get(LeaseConfig.MAX_ATTEMPTS));
    assertEquals(1000, values.get(LimitsConfig.OPEN_JOBS));
  }

  @Test
  void aFileSaysEverythingThatOptionsCan() throws IOException {
    CoordinatorConfig config =
        CoordinatorConfig.of(
            values(
                Map.of(),
                Map.of(),
                """
                # A comment.
                data: /srv/bitloom
                redis: redis://queue:6379   # elsewhere
                bind: "0.0.0.0"
                cors: https://app.example, http://localhost:3000
                insecure: true
                lease-duration: 30s
                heartbeat-interval: 5s
                default-model: art
                retention: 7d
                results: s3://images/art
                s3-path-style: true
                """));
    assertEquals(Path.of("/srv/bitloom"), config.directory().path());
    assertEquals("redis://queue:6379", config.redis().uri());
    assertEquals("0.0.0.0", config.listen().bind());
    assertEquals(List.of("https://app.example", "http://localhost:3000"), config.listen().cors());
    assertEquals(Duration.ofSeconds(30), config.dispatch().leases().duration());
    assertEquals(Optional.of("art"), config.jobs().defaultModel());
    assertEquals(Optional.of(Duration.ofDays(7)), config.jobs().retention());
    assertEquals("s3://images/art/", config.results().s3().orElseThrow().location());
    assertEquals(true, config.results().s3().orElseThrow().pathStyle());
  }

  @Test
  void withoutAnythingAllDefaultsHold() throws IOException {
    CoordinatorConfig config = CoordinatorConfig.of(values(Map.of(), Map.of(), ""));
    assertEquals(CoordinatorConfig.of(SettingValues.DEFAULTS), config);
    assertEquals(
        new CoordinatorConfig(
            new DirectoryConfig(Path.of("data"), false),
            new RedisConfig("embedded", "bitloom", Optional.empty(), 0, 1),
            new ListenConfig(
                "127.0.0.1",
                7700,
                7701,
                Optional.empty(),
                AccessConfig.LOOPBACK,
                List.of(),
                List.of(),
                new ConnectionsConfig(
                    4096, 1000, Duration.ofMinutes(2), Optional.of(Duration.ofHours(1)))),
            new JobsConfig(
                new LimitsConfig(
                    4000,
                    64 << 10,
                    16,
                    64 << 10,
                    4L << 30,
                    1000,
                    20_000_000,
                    1_000_000,
                    8L << 30,
                    1L << 40),
                Optional.empty(),
                Optional.of(Duration.ofDays(30))),
            new DispatchConfig(
                new LeaseConfig(
                    Duration.ofSeconds(10), Duration.ofSeconds(2), Duration.ofSeconds(1), 5),
                Duration.ofMillis(50)),
            new ResultsConfig(true, Optional.empty()),
            WebhookConfig.DEFAULTS,
            new InputConfig(
                List.of(), 16L << 30, new S3Server(Optional.empty(), Optional.empty(), false)),
            Duration.ofSeconds(5)),
        config);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          lease-duratoin: 1s               | :1: there is no setting lease-duratoin; did you mean lease-duration?
          lease_duration: 1s               | :1: there is no setting lease_duration; did you mean lease-duration?
          BITLOOM_LEASE_DURATION: 1s       | :1: there is no setting BITLOOM_LEASE_DURATION; did you mean lease-duration?
          leaseDuration: 1s                | :1: there is no setting leaseDuration; did you mean lease-duration?
          --lease-duration: 1s             | :1: there is no setting --lease-duration; did you mean lease-duration?
          colour: red                      | :1: there is no setting colour
          bind: ::1\\ngrpc-port: [1]        | :2: grpc-port must have one value
          bind: ::1\\nbind: ::1             | :2: bind is there already, at FILE:1
          bind:                            | :1: bind has no value; without its line the default holds
          ? [a]\\n: b                       | :1: must have the name of a setting before the colon
          - bind                           | :1: must have lines such as "grpc-port: 7700"
          grpc-port 7700                   | :1: must have lines such as "grpc-port: 7700"
          bind: "::1                       | :1: found unexpected end of stream
          """)
  void whatIsWrongInAFileIsNamedWithItsLine(String text, String message) {
    SettingsFileException error =
        assertThrows(
            SettingsFileException.class,
            () -> values(Map.of(), Map.of(), text.replace("\\n", "\n")));
    String file = directory.resolve("coordinator.yaml").toString();
    assertEquals(file + message.replace("FILE", file), error.getMessage());
  }

  @Test
  void aFileThatIsNoTextIsRefused() throws IOException {
    Path file = directory.resolve("coordinator.yaml");
    Files.write(file, "bind: \u00e4".getBytes(StandardCharsets.ISO_8859_1));
    assertEquals(file + " is not a text in UTF-8", refused(file));
    assertEquals(
        directory.resolve("x") + ": there is no such file or folder",
        refused(directory.resolve("x")));
    assertEquals(directory + ": Is a directory", refused(directory));
  }

  private static String refused(Path file) {
    return assertThrows(
            SettingsFileException.class,
            () ->
                SettingValues.of(CoordinatorConfig.SETTINGS, Map.of(), Map.of(), Optional.of(file)))
        .getMessage();
  }

  @Test
  void anErrorSaysWhereTheValueComesFrom() throws IOException {
    SettingValues values =
        values(
            Map.of("http-port", "x"),
            Map.of("BITLOOM_MAX_ATTEMPTS", "0"),
            "bind: ::1\ngrpc-port: 70000\n");
    String file = directory.resolve("coordinator.yaml").toString();
    assertEquals(
        file + ":2: grpc-port must be 0 to 65535, not \"70000\"",
        values.explain(new ConfigException("grpc-port", 70_000, "must be 0 to 65535")));
    assertEquals(
        "--max-attempts must be 1 to 100, not \"0\" (BITLOOM_MAX_ATTEMPTS)",
        values.explain(new ConfigException("max-attempts", 0, "must be 1 to 100")));
    ConfigException wrong =
        assertThrows(ConfigException.class, () -> values.get(ListenConfig.HTTP_PORT));
    assertEquals("--http-port must be a whole number, not \"x\"", values.explain(wrong));
  }

  @Test
  void everySettingIsListedOnce() {
    List<String> names = CoordinatorConfig.SETTINGS.stream().<String>map(Setting::name).toList();
    Set<String> once = new HashSet<>(names);
    assertEquals(names.size(), once.size());
  }
}
