package io.bitloom.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class MainTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int execute(String... arguments) {
    CommandLine command = Main.commandLine();
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));
    return command.execute(arguments);
  }

  @Test
  void helpNamesEveryOption() {
    assertEquals(0, execute("--help"));
    for (String option :
        List.of(
            "--config",
            "--data",
            "--share-data",
            "--redis",
            "--redis-namespace",
            "--bind",
            "--grpc-port",
            "--http-port",
            "--ports-file",
            "--allowed-hosts",
            "--max-connections",
            "--calls-per-connection",
            "--idle-timeout",
            "--max-connection-age",
            "--default-model",
            "--prompt-characters",
            "--lease-duration",
            "--heartbeat-interval",
            "--reconnect-grace",
            "--images-per-prompt",
            "--open-jobs",
            "--queued-prompts",
            "--prompts-per-second",
            "--retention",
            "--tenants",
            "--insecure",
            "--tls-cert",
            "--tls-key",
            "--tls-client-ca",
            "--max-attempts",
            "--max-batch-delay",
            "--drain-timeout",
            "--exit-on-stdin-close")) {
      assertTrue(out.toString().contains(option), option);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "--lease-duration=ten, --lease-duration must be a duration",
    "--heartbeat-interval=9s, --heartbeat-interval must be at most half of lease-duration (10s)",
    "--grpc-port=70000, --grpc-port must be 0 to 65535",
    "--http-port=x, --http-port",
    "--redis=localhost, --redis must be embedded or a URI of Redis",
    "--redis-namespace=a b, --redis-namespace must be letters",
    "--max-attempts=0, --max-attempts must be 1 to 100",
    "--open-jobs=0, --open-jobs must be 1 to",
    "--queued-prompts=0, --queued-prompts must be at least 1",
    "--images-per-prompt=17, --images-per-prompt must be 1 to 16",
    "--retention=1ms, --retention must be 1s to",
    "--bind=0.0.0.0, --bind must be a loopback address",
    "--allowed-hosts=a:7701, --allowed-hosts must be names such as bitloom.example",
    "--max-connections=0, --max-connections must be 1 to",
    "--calls-per-connection=0, --calls-per-connection must be 1 to",
    "--idle-timeout=1ms, --idle-timeout must be 100ms to",
    "--max-connection-age=1ms, --max-connection-age must be 1s to",
    "--tls-cert=x, --tls-key must go with --tls-cert",
    "--tls-client-ca=x, --tls-client-ca must go with --tls-cert",
    "--tenants=no-such-file, --tenants must be a readable file",
    "--no-such-option=1, there is no option --no-such-option=1",
    "--grpc-prot=1, did you mean --grpc-port?",
    "--http-port=x, \"x\" is not a whole number",
    "--s3-region=x, '--s3-region has no effect with --results=directory, which is what holds'",
    "--s3-path-style, --s3-path-style has no effect with --results=directory",
    "--bind=0.0.0.0 --tenants=x, '--bind must be a loopback address, unless tokens are secured by"
        + " --tls-cert, or --insecure lets them cross the network in plain text'",
    "--results=s3://b --no-fsync-results, --no-fsync-results has an effect only with"
  })
  void aWrongOptionIsNamedAndEndsWithTwo(String option, String message) {
    assertEquals(2, execute(option.split(" (?=--)")));
    assertTrue(err.toString().contains(message), err.toString());
    assertFalse(err.toString().contains("\tat "), err.toString());
    assertFalse(Files.exists(Path.of("data")), "wrong options have made a folder");
  }

  @Test
  void aPasswordIsNotSaidAgain() {
    assertEquals(2, execute("--redis=reds://user:secret@secret/secret@host"));
    assertTrue(err.toString().contains("--redis must be embedded"), err.toString());
    assertFalse(err.toString().contains("secret"), err.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "'grpc-port: 70000', '', 'coordinator.yaml:1: grpc-port must be 0 to 65535, not \"70000\"'",
    "'grpc-port: x', '', 'coordinator.yaml:1: grpc-port must be a whole number, not \"x\"'",
    "'grpc-prot: 1', '', 'coordinator.yaml:1: there is no setting grpc-prot; did you mean"
        + " grpc-port?'",
    "'grpc-port: x', '--grpc-port=70000', '--grpc-port must be 0 to 65535, not \"70000\"'",
    "'tls-key: x', '', 'coordinator.yaml:1: tls-key must go with --tls-cert'",
    "'tenants: x', '--bind=0.0.0.0', '--bind must be a loopback address, unless tokens'",
    "'results: s3://b', '--no-fsync-results', '--no-fsync-results has an effect only with'",
    "'results: x', '--s3-region=y', 'coordinator.yaml:1: results must be directory or s3://'"
  })
  void aWrongFileOfSettingsIsNamedAndEndsWithTwo(
      String text, String option, String message, @TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("coordinator.yaml"), text);
    assertEquals(2, execute((option + " --config=" + file).strip().split(" (?=--)")));
    assertTrue(err.toString().contains(message), err.toString());
    assertFalse(err.toString().contains("\tat "), err.toString());
    assertFalse(Files.exists(Path.of("data")), "wrong options have made a folder");
  }
}
