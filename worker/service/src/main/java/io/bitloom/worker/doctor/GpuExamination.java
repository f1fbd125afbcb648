package io.bitloom.worker.doctor;

import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import io.bitloom.engine.tensor.LibTorch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Whether this machine has a GPU of NVIDIA, and this build the libtorch for it. */
public final class GpuExamination implements Examination {

  private static final String NAME = "gpu";
  private static final Path DRIVER = Path.of("/proc/driver/nvidia/version");
  private static final int PATIENCE_SECONDS = 20;

  @Override
  public List<Finding> examine(Setup setup) {
    Optional<String> gpus = gpus();
    boolean driver = gpus.isPresent() || Files.exists(DRIVER);
    return List.of(
        LibTorch.builtForGpu()
            ? forGpu(gpus.orElse(driver ? "a driver" : "no driver"))
            : forCpu(driver, gpus));
  }

  private static Finding forCpu(boolean driver, Optional<String> gpus) {
    return driver
        ? Finding.warn(
            NAME,
            gpus.orElse("a driver of NVIDIA") + ", and a build for the CPU",
            "mvn -Pgpu -DskipTests package makes one for the GPU")
        : Finding.ok(NAME, "none of NVIDIA; pictures are drawn by the CPU");
  }

  private static Finding forGpu(String seen) {
    String advice =
        "install NVIDIA's driver and the libraries of CUDA, or build for the CPU: mvn -DskipTests"
            + " package";
    try {
      return LibTorch.cudaAvailable()
          ? Finding.ok(NAME, seen + ", which libtorch can use")
          : Finding.fail(NAME, seen + ", and libtorch cannot use CUDA", advice);
    } catch (LinkageError | UncheckedIOException e) {
      return Finding.fail(NAME, seen + ", and libtorch does not load: " + e.getMessage(), advice);
    }
  }

  /** Name, driver and memory of each, as {@code nvidia-smi} says. */
  private static Optional<String> gpus() {
    try {
      Process asked =
          new ProcessBuilder(
                  "nvidia-smi",
                  "--query-gpu=name,driver_version,memory.total",
                  "--format=csv,noheader")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (!asked.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        asked.destroyForcibly();
        return Optional.empty();
      }
      String answer =
          new String(asked.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return asked.exitValue() == 0 && !answer.isEmpty()
          ? Optional.of(answer.replace("\n", "; "))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // there is no such program
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
