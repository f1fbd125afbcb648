package io.bitloom.common.gpu;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The program of NVIDIA's driver that says what it sees. */
public final class NvidiaSmi {
  private static final String NAME = "nvidia-smi";
  private static final int PATIENCE_SECONDS = 20;

  private final Optional<Path> program;

  /**
   * The program on a path.
   *
   * @param environment has the {@code PATH}
   */
  public NvidiaSmi(Map<String, String> environment) {
    this.program =
        Stream.of(environment.getOrDefault("PATH", "").split(File.pathSeparator))
            .filter(folder -> !folder.isEmpty())
            .map(folder -> Path.of(folder, NAME))
            .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
            .findFirst();
  }

  /** The lines of an answer; empty if there is no such program, or it fails or hangs. */
  public Optional<List<String>> ask(String... arguments) {
    if (program.isEmpty()) {
      return Optional.empty();
    }
    List<String> command = new ArrayList<>(List.of(program.get().toString()));
    command.addAll(List.of(arguments));
    try {
      Process asked =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      asked.getOutputStream().close();
      if (!asked.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        asked.destroyForcibly();
        return Optional.empty();
      }
      String answer = new String(asked.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return asked.exitValue() == 0 ? Optional.of(answer.lines().toList()) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // it is no program for this machine
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
