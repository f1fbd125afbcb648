package io.bitloom.common.gpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * NVIDIA's driver in the kernel.
 *
 * @param version such as {@code 580.65.06}
 * @param branch the first number of it, which says what CUDA it can serve
 */
public record NvidiaDriver(String version, int branch) {
  /** Where the kernel says which one runs. */
  public static final Path FILE = Path.of("/proc/driver/nvidia/version");

  /** The first branch that serves CUDA 13. */
  public static final int CUDA_13 = 580;

  private static final Pattern VERSION =
      Pattern.compile("^NVRM version: .*?Module.*?\\s(\\d{3,})((?:\\.\\d+)+)\\s");

  /** The driver that a file names; empty if there is no such file, or it names none. */
  public static Optional<NvidiaDriver> read(Path file) {
    try {
      Matcher found = VERSION.matcher(Files.readString(file) + "\n");
      return found.find()
          ? Optional.of(
              new NvidiaDriver(found.group(1) + found.group(2), Integer.parseInt(found.group(1))))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
